import type { Shell } from './shells.ts';

// Each script asks `accelhydra __complete SHELL …` and shows what comes back, a candidate a line: the word, a tab, what
// it is. Nothing that goes wrong may reach the screen in the middle of a line that somebody types.
const scripts: Readonly<Record<Shell, string>> = {
  // Bash cuts words at = : and @ as well; the whole line is passed on and the answer begins after the last such cut.
  bash: `# bash completion for accelhydra: eval "$(accelhydra completion bash)"
_accelhydra() {
  local line="\${COMP_LINE:0:COMP_POINT}" candidate
  COMPREPLY=()
  while IFS= read -r candidate; do
    [ -n "$candidate" ] && COMPREPLY+=("\${candidate%%$'\\t'*}")
  done < <("\${COMP_WORDS[0]}" __complete bash "$COMP_WORDBREAKS" "$line" 2>/dev/null)
  case "\${COMPREPLY[0]}" in
    *=|*.|*/|*@) compopt -o nospace 2>/dev/null ;;
  esac
}
complete -o default -F _accelhydra accelhydra
`,
  zsh: `#compdef accelhydra
# zsh completion for accelhydra: eval "$(accelhydra completion zsh)", after compinit
_accelhydra() {
  local line word
  local -a joined spaced typed
  # The words without their quotes; the one that is being quoted has but its opening quote.
  (( CURRENT > 2 )) && typed=("\${(@Q)words[2,CURRENT-1]}")
  typed+=("\${(Q)\${words[CURRENT]#[\\'\\"]}}")
  while IFS= read -r line; do
    word="\${line%%$'\\t'*}"
    [[ -z "$word" ]] && continue
    case "$word" in
      *=|*.|*/|*@) joined+=("$word") ;;
      *) spaced+=("$word") ;;
    esac
  done < <("\${words[1]}" __complete zsh "\${typed[@]}" 2>/dev/null)
  (( \${#joined} )) && compadd -S '' -- "\${joined[@]}"
  (( \${#spaced} )) && compadd -- "\${spaced[@]}"
  (( \${#joined} + \${#spaced} )) || _files
}
compdef _accelhydra accelhydra
`,
  fish: `# fish completion for accelhydra: save as ~/.config/fish/completions/accelhydra.fish
function __accelhydra_complete
    set -l before (commandline -opc)
    # A word that is being quoted still has its opening quote.
    set -l current (commandline -ct | string trim --left --chars "'\\"" | string collect)
    command $before[1] __complete fish $before[2..-1] "$current" 2>/dev/null
end
complete -c accelhydra -f -a '(__accelhydra_complete)'
`,
};

/** The script that a shell evaluates to complete `accelhydra`. */
export function completionScript(shell: Shell): string {
  return scripts[shell];
}
