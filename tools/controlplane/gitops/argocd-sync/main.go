// One sync as Argo CD's application controller makes it, with the engine that it makes
// it with: the objects of a folder are marked as the application's own and handed to
// gitops-engine, which orders them in waves, runs hooks, applies and prunes. What Argo
// CD has around that (its queue, its cache, the repository server) is not here.
//
// It prints what became of each object as JSON, as the status of an Application has it
// in operationState.syncResult, and exits 1 where one of them failed.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/argoproj/argo-cd/gitops-engine/pkg/cache"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/sync"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/sync/common"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/argo-cd/gitops-engine/pkg/utils/tracing"
)

const (
	tracking     = "argocd.argoproj.io/tracking-id"
	installation = "argocd.argoproj.io/installation-id"
	manager      = "argocd-controller"
	pause        = 100 * time.Millisecond
)

type application struct {
	name, namespace, folder, kubeconfig, installation string

	prune, serverSide bool
	timeout           time.Duration
}

// result is one of operationState.syncResult.resources.
type result struct {
	Group     string `json:"group"`
	Kind      string `json:"kind"`
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Status    string `json:"status"`
	Hook      string `json:"hookType"`
	HookPhase string `json:"hookPhase"`
	Message   string `json:"message"`
}

func main() {
	var app application
	flag.StringVar(&app.name, "app", "", "name of the application")
	flag.StringVar(&app.namespace, "namespace", "", "destination")
	flag.StringVar(&app.folder, "path", ".", "folder of manifests")
	flag.StringVar(&app.kubeconfig, "kubeconfig", "", "as whom")
	flag.StringVar(&app.installation, "installation-id", "", "of Argo CD, if it has one")
	flag.BoolVar(&app.prune, "prune", false, "remove what is there no more")
	flag.BoolVar(&app.serverSide, "server-side", false, "sync option ServerSideApply=true")
	flag.DurationVar(&app.timeout, "timeout", time.Minute, "for all of it")
	flag.Parse()
	failed, err := app.run()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if failed {
		os.Exit(1)
	}
}

func (app *application) run() (failed bool, err error) {
	targets, err := app.targets()
	if err != nil {
		return false, err
	}
	config, err := clientcmd.BuildConfigFromFlags("", app.kubeconfig)
	if err != nil {
		return false, err
	}
	config.QPS, config.Burst = 50, 100 // as the application controller's
	live := cache.NewClusterCache(config,
		cache.SetNamespaces([]string{app.namespace}),
		cache.SetLogr(logr.Discard()),
		cache.SetPopulateResourceInfoHandler(func(un *unstructured.Unstructured, _ bool) (any, bool) {
			mark := un.GetAnnotations()[tracking]
			return mark, mark != ""
		}))
	if err := live.EnsureSynced(); err != nil {
		return false, err
	}
	defer live.Invalidate()
	state := operation{started: metav1.Now()}
	for end := time.Now().Add(app.timeout); !state.phase.Completed(); {
		if time.Now().After(end) {
			app.print(state.results)
			return false, fmt.Errorf("not within %s: %s", app.timeout, state.message)
		}
		if err := app.step(config, live, targets, &state); err != nil {
			return false, err
		}
		if !state.phase.Completed() {
			time.Sleep(pause)
		}
	}
	return app.print(state.results) || !state.phase.Successful(), nil
}

// operation is what an Application's operationState keeps between two steps.
type operation struct {
	phase   common.OperationPhase
	message string
	results []common.ResourceSyncResult
	started metav1.Time
}

// step goes on with a sync on what is live now, as SyncAppState in
// argo-cd/controller/sync.go does: a wave begins where the one before is live.
func (app *application) step(
	config *rest.Config, live cache.ClusterCache,
	targets []*unstructured.Unstructured, state *operation,
) error {
	// What carries the mark of another object is not this application's: a controller
	// copies annotations to what it makes.
	own := func(r *cache.Resource) bool { return r.Info == app.mark(r.ResourceKey()) }
	managed, err := live.GetManagedLiveObjs(targets, own)
	if err != nil {
		return err
	}
	result := sync.Reconcile(targets, managed, app.namespace, live)
	run, done, err := sync.NewSyncContext("HEAD", result, config, config,
		&kube.KubectlCmd{Log: logr.Discard(), Tracer: tracing.NopTracer{}}, app.namespace,
		sync.WithLogr(logr.Discard()),
		sync.WithInitialState(state.phase, state.message, state.results, state.started),
		sync.WithPrune(app.prune),
		sync.WithServerSideApply(app.serverSide),
		sync.WithServerSideApplyManager(manager))
	if err != nil {
		return err
	}
	defer done()
	run.Sync()
	state.phase, state.message, state.results = run.GetState()
	return nil
}

func (app *application) print(results []common.ResourceSyncResult) (failed bool) {
	said := make([]result, 0, len(results))
	for _, one := range results {
		key := one.ResourceKey
		failed = failed || one.Status == common.ResultCodeSyncFailed ||
			one.HookPhase == common.OperationFailed || one.HookPhase == common.OperationError
		said = append(said, result{key.Group, key.Kind, key.Namespace, key.Name,
			string(one.Status), string(one.HookType), string(one.HookPhase), one.Message})
	}
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	if err := out.Encode(said); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return true
	}
	return failed
}

// targets returns the folder's objects with the application's marks on them.
func (app *application) targets() (found []*unstructured.Unstructured, err error) {
	err = filepath.WalkDir(app.folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if entry.IsDir() {
			if strings.HasPrefix(entry.Name(), ".git") {
				return fs.SkipDir
			}
			return nil
		}
		switch filepath.Ext(path) {
		case ".yaml", ".yml", ".json":
		default:
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		objects, err := kube.SplitYAML(text)
		found = append(found, objects...)
		return err
	})
	for _, object := range found {
		if object.GetNamespace() == "" {
			object.SetNamespace(app.namespace)
		}
		marks := object.GetAnnotations()
		if marks == nil {
			marks = map[string]string{}
		}
		marks[tracking] = app.mark(kube.GetResourceKey(object))
		if app.installation != "" {
			marks[installation] = app.installation
		}
		object.SetAnnotations(marks)
	}
	return found, err
}

// mark is UnstructuredToAppInstanceValue's and BuildAppInstanceValue's in
// argo-cd/util/argo/resource_tracking.go.
func (app *application) mark(key kube.ResourceKey) string {
	return fmt.Sprintf("%s:%s/%s:%s/%s", app.name, key.Group, key.Kind, key.Namespace, key.Name)
}
