// Bootstrap prints what the API server itself lets the cluster's own components write.
//
// The roles are those that a server creates when it starts, with the feature gates of
// its minor. Only rights to change something are printed: who may read is no matter
// here. One line a right, sorted: actor, verb, group, resource/subresource, names.
package main

import (
	"bufio"
	"fmt"
	"os"
	"sort"
	"strings"

	rbacv1 "k8s.io/api/rbac/v1"
	"k8s.io/kubernetes/plugin/pkg/auth/authorizer/rbac/bootstrappolicy"
)

var reads = map[string]bool{"get": true, "list": true, "watch": true}

// components are the roles of what runs beside the controllers.
var components = []string{
	"system:kube-controller-manager",
	"system:kube-scheduler",
	"system:node",
	"system:node-proxier",
	"system:volume-scheduler",
}

func main() {
	roles := map[string][]rbacv1.PolicyRule{}
	for _, role := range bootstrappolicy.ControllerRoles() {
		roles[role.Name] = role.Rules
	}
	everybody := map[string][]rbacv1.PolicyRule{}
	for _, role := range bootstrappolicy.ClusterRoles() {
		everybody[role.Name] = role.Rules
	}
	for _, name := range components {
		rules, found := everybody[name]
		if !found {
			fmt.Fprintf(os.Stderr, "expected a role %s, saw none\n", name)
			os.Exit(1)
		}
		roles[name] = rules
	}
	for namespace, local := range bootstrappolicy.NamespaceRoles() {
		for _, role := range local {
			name := role.Name + "@" + namespace
			roles[name] = role.Rules
		}
	}
	lines := map[string]bool{}
	for name, rules := range roles {
		for _, rule := range rules {
			for _, line := range rights(name, rule) {
				lines[line] = true
			}
		}
	}
	sorted := make([]string, 0, len(lines))
	for line := range lines {
		sorted = append(sorted, line)
	}
	sort.Strings(sorted)
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	for _, line := range sorted {
		fmt.Fprintln(out, line)
	}
}

// rights multiplies one rule out.
func rights(role string, rule rbacv1.PolicyRule) []string {
	var lines []string
	for _, verb := range rule.Verbs {
		if reads[verb] {
			continue
		}
		for _, group := range rule.APIGroups {
			for _, resource := range rule.Resources {
				names := strings.Join(rule.ResourceNames, ",")
				fields := []string{role, verb, group, resource, names}
				lines = append(lines, strings.Join(fields, "\t"))
			}
		}
	}
	return lines
}
