import { type ChildProcess, spawn } from "node:child_process";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { stripVTControlCharacters } from "node:util";
import { COMMAND } from "./cli.ts";

export type TerminalShell = "bash" | "zsh";

/** Surroundings in which `fanfold` is a command. */
export function withFanfold(folder: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const bin = join(folder, "bin");
  mkdirSync(bin, { recursive: true });
  symlinkSync(COMMAND, join(bin, "fanfold"));
  const path = [bin, dirname(process.execPath), process.env["PATH"]].join(delimiter);
  return { ...env, PATH: path, LANG: "C.UTF-8", TERM: "xterm", HOME: folder };
}

/** Shows the line that is being typed, when Ctrl-G is pressed. */
const STARTS: Readonly<
  Record<TerminalShell, { readonly command: string; readonly file: string; readonly text: string }>
> = {
  bash: {
    command: "bash --noprofile --rcfile .bashrc -i",
    file: ".bashrc",
    text: `PS1='$ '
source <(fanfold completion bash)
bind 'set show-all-if-ambiguous on'
bind 'set page-completions off'
bind 'set completion-query-items 0'
bind 'set enable-bracketed-paste off'
bind -x '"\\C-g": printf "<<%s>>" "$READLINE_LINE"'
echo it is READY
`,
  },
  zsh: {
    command: "zsh -i",
    file: ".zshrc",
    text: `PS1='$ '
autoload -Uz compinit; compinit -u -D
source <(fanfold completion zsh)
setopt no_beep; LISTMAX=0; unset zle_bracketed_paste
show() { print -rn -- "<<$BUFFER>>" }
zle -N show; bindkey '^G' show
print it is READY
`,
  },
};

/** What a shell made of a line when Tab was pressed behind it. */
export interface Completed {
  readonly line: string;
  /** All that stood on the terminal meanwhile. */
  readonly shown: string;
}

/** A shell at a terminal that a person types into. */
export class ShellAtTerminal {
  readonly #child: ChildProcess;
  #output = "";
  #wake = (): void => undefined;

  constructor(shell: TerminalShell, { folder, env }: { readonly folder: string; readonly env: NodeJS.ProcessEnv }) {
    const { command, file, text } = STARTS[shell];
    writeFileSync(join(folder, file), text);
    this.#child = spawn("script", ["-qec", `stty cols 200 rows 50; exec ${command}`, "/dev/null"], {
      cwd: folder,
      env,
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => {
      this.#output += text;
      this.#wake();
    });
  }

  [Symbol.dispose](): void {
    this.#child.kill("SIGKILL");
  }

  async ready(): Promise<void> {
    await this.#until(/it is READY/);
  }

  async complete(line: string): Promise<Completed> {
    this.#output = "";
    this.#child.stdin?.write(`${line}\t\x07`);
    const [shown = "", typed = ""] = await this.#until(/<<([^<>]*)>>/);
    this.#child.stdin?.write("\x15");
    return { line: typed, shown };
  }

  /** Waits as long as the test does. */
  async #until(pattern: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const text = stripVTControlCharacters(this.#output);
      const found = pattern.exec(text);
      if (found !== null) return Object.assign(found, { 0: text });
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}
