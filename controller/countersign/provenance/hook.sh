#!/bin/sh
# @MARKER@: records in a commit which assistants had a hand in it.
# Needs git and nothing else; `countersign hooks uninstall` takes it away.
# It never stops a commit: what goes wrong here is one line, and success.
set +e -f
hook=@HOOK@

prepare() {
    for left in "$dir/countersign-before" "$dir/countersign-picked"; do
        [ ! -e "$left" ] || rm -f "$left"
    done
    sources=$(sources)
    marks=$(picked_cleanly || environment; rewritten || inherited)
    lost=$?
    [ -z "$marks" ] || write "$1" "${2-}" || return
    return "$lost"
}

# A clean step of a rebase: somebody's work is moved, nobody adds to it.
picked_cleanly() {
    [ -f "$dir/rebase-merge/author-script" ] && [ ! -f "$dir/rebase-merge/stopped-sha" ]
}

# Commits that go into this one, one a line; their notes are to go with them.
sources() {
    if [ -f "$dir/rebase-merge/current-fixups" ]; then
        sed -n 's/^.* \([0-9a-f]\{40,64\}\)$/\1/p' "$dir/rebase-merge/current-fixups"
    elif [ -d "$dir/rebase-merge" ]; then
        :
    elif [ -f "$dir/SQUASH_MSG" ]; then
        sed -n 's/^commit \([0-9a-f]\{40,64\}\)$/\1/p' "$dir/SQUASH_MSG" |
            tee "$dir/countersign-picked"
    elif [ -f "$dir/CHERRY_PICK_HEAD" ]; then
        cat "$dir/CHERRY_PICK_HEAD" >"$dir/countersign-picked"
    fi
}

rewritten() { [ -z "$sources" ]; }

# Marks of the commits that go into this one: a squash must not lose them.
inherited() {
    printf '%s\n' "$sources" |
        git log --no-show-signature --no-walk=unsorted --stdin \
            --format='%B%n@author: %an <%ae>' |
        awk '
            { # lists, quotes, emphasis and folds do not hide a trailer
                line = $0
                sub(/^[ \t>*#_-]+/, "", line)
                if (open != "" && $0 ~ /^[ \t]/) line = open " " line
                key = ""
                if (match(line, /^[@A-Za-z][A-Za-z0-9-]*[*_]*[ \t]*:[*_ \t]*/)) {
                    key = tolower(substr(line, 1, RLENGTH))
                    value = substr(line, RLENGTH + 1)
                    sub(/[*_ \t:]+$/, "", key)
                }
                naming = key ~ /^(@NAMING@)$/
                low = tolower(line)
                open = key != "" && (value == "" || (naming && value !~ /</)) ? line : ""
            }
            key != "" && tolower(value) ~ /^(@NEGATIVE@)?$/ { next }
            naming && tolower(value) ~ /<(@ADDRESSES@)>/ {
                say("Co-authored-by: " value); next
            }
            key ~ /^(@KEYS@)$/ { say(substr(line, 1, length(key)) ": " value); next }
@TEXTS@
            function say(mark) { # once, and no more than a command line holds
                if (!(mark in said) && length(mark) <= 256 && ++count <= 1000) print mark
                said[mark]
            }
        '
}

environment() {
    found=
@TOOLS@
    [ -z "${AI_AGENT-}" ] || named "$AI_AGENT" || unknown "$AI_AGENT"
    [ -z "${AGENT-}" ] || named "$AGENT"
    [ -n "$found" ] || ancestors
}

# tool NAME MODEL VALUE...: a mark, where a value says yes
tool() {
    name=$1 model=$2
    shift 2
    for value; do
        case $value in
        '' | 0 | [Ff]alse | FALSE | [Nn]o | NO | [Oo]ff) ;;
        *) mark "$name" "$model"; return ;;
        esac
    done
}

# AI_AGENT=NAME, NAME@VERSION or NAME_VERSION: what agents agree to call themselves
named() {
    case $(printf %s "${1%%[@_]*}" | tr '[:upper:]' '[:lower:]') in
@NAMES@
    *) return 1 ;;
    esac
}

unknown() {
    case ${1%%@*} in
    1 | [Tt]rue | [Yy]es) [ -n "$found" ] || mark true '' ;;
    0 | [Ff]alse | [Nn]o | [Nn]one | *[!A-Za-z0-9._-]*) ;;
    *) mark "${1%%@*}" '' ;;
    esac
}

# Programs that this process descends from, as far as they share its session: who opened
# a terminal once says nothing about who types in it.
ancestors() {
    pid=$PPID steps=0 session=
    while [ "${pid:-0}" -gt 1 ] && [ "$steps" -lt 32 ]; do
        steps=$((steps + 1))
        if [ -r "/proc/$pid/stat" ]; then
            read -r line <"/proc/$pid/stat" || return
            program=${line#*(} program=${program%)*}
            set -- ${line##*) } # state, parent, group, session
            pid=$2
            [ "$4" = "${session:=$4}" ] || return
        else
            line=$(ps -o ppid= -o comm= -p "$pid" 2>/dev/null) || return
            set -- $line
            pid=$1 program=${line##*/} program=${program##* }
        fi
        case $program in
@PROCESSES@
        esac
    done
}

# mark NAME MODEL: the trailer, where the message does not name that assistant yet
mark() {
    case " $found " in *" $1 "*) return ;; esac
    found="$found $1"
    case $2 in
    '' | *[!A-Za-z0-9._:/@+-]*) line="AI-Assisted: $1" ;;
    *) line="Assisted-by: $1:$2" ;;
    esac
    grep -qiE "^[[:space:]]*(@PLAIN@):[[:space:]]*$1([^a-z0-9-]|\$)" "$message" ||
        [ ${#line} -gt 200 ] || printf '%s\n' "$line"
}

# write MESSAGE SOURCE: the marks become trailers
write() {
    case $2 in
    '' | template) words "$1" >"$dir/countersign-before" ;;
    esac
    file=$1
    IFS='
'
    set -- -c trailer.separators=:
    for line in $(layout); do
        set -- "$@" -c "$line"
    done
    set -- "$@" interpret-trailers --in-place --no-divider \
        --where end --if-exists addIfDifferent --if-missing add
    for line in $marks; do
        set -- "$@" --trailer "$line"
    done
    unset IFS
    ( # no other setting: some would run a command, or add trailers that nobody means
        unset GIT_CONFIG_PARAMETERS GIT_CONFIG_COUNT
        GIT_DIR=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_CONFIG_GLOBAL=/dev/null
        HOME=/dev/null XDG_CONFIG_HOME=/dev/null # for a git older than GIT_CONFIG_GLOBAL
        export GIT_DIR GIT_CONFIG_NOSYSTEM GIT_CONFIG_GLOBAL HOME XDG_CONFIG_HOME
        git "$@" "$file"
    )
}

# Settings that say where trailers begin and end: what a comment is, and whose keys count.
layout() {
    git config --get-regexp '^(core\.comment(char|string)|trailer\..*\.key)$' |
        sed -n -e 's/^\(core\.comment[a-z]*\) /\1=/p' \
            -e 's/^\(trailer\.[A-Za-z0-9_-]*\.key\) /\1=/p'
}

# words MESSAGE: without comments, and the patch that `commit --verbose` shows; the mark
# of a comment is what core.commentString says, before git's own line of scissors
words() { sed '/ -\{24\} >8 -\{24\}$/,$d' "$1" | git stripspace -s; }

# An editor that is left without a word still means: no commit.
finish() {
    [ -f "$dir/countersign-before" ] || return 0
    said=$(words "$1" | grep -viE '^(@PLAIN@|co-authored-by): ' | git stripspace)
    if [ "$said" = "$(cat "$dir/countersign-before")" ]; then
        cat "$dir/countersign-before" >"$1"
    fi
    rm -f "$dir/countersign-before"
}

# Notes of line ranges go with the commits that were picked or squashed.
carry() {
    [ -f "$dir/countersign-picked" ] || return 0
    notes="git notes --ref=@NOTES@"
    if git rev-parse --quiet --verify @NOTES@ >/dev/null &&
        ! $notes list HEAD >/dev/null 2>&1; then
        while IFS= read -r commit; do
            note=$($notes list "$commit" 2>/dev/null) || continue
            $notes append -C "$note" HEAD || break
        done <"$dir/countersign-picked"
    fi
    rm -f "$dir/countersign-picked"
}

record() {
    message=${1-}
    dir=${message%/*} # of the message, or else where git says, or is likely to say
    [ -f "$dir/HEAD" ] || dir=${GIT_DIR:-.git}
    [ -f "$dir/HEAD" ] || dir=$(git rev-parse --git-dir) || return
    case $hook in
    prepare-commit-msg) prepare "$1" "${2-${PRE_COMMIT_COMMIT_MSG_SOURCE-}}" ;;
    commit-msg) finish "$1" ;;
    post-commit) carry ;;
    esac
}

if [ "$hook" = @SHOW@ ]; then
    message=/dev/null
    environment
    exit 0
fi

# What stood here before has its say first, and its way. (Frameworks move what they find
# to NAME.legacy, and go on calling it.)
before=${0%.legacy}.@KEPT@
if [ -f "$before" ] && [ -f "${0%/*}/_/h" ]; then
    sh -e "$before" "$@" || exit # as husky calls it
elif [ -x "$before" ]; then
    "$before" "$@" || exit
fi
if ! said=$(record "$@" 2>&1); then
    printf 'countersign: this commit may lack its marks: %.200s\n' "$said" |
        tr '\n' ' ' >&2
    echo >&2
fi
exit 0
