import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { removeTree } from "../helpers/disks/temp-folder.ts";
import { fullTreeFacts } from "../helpers/trees/full-tree-facts.ts";

/** Long enough to be told from anything that is copied. */
export const CANARY = "this is the canary, and it sings: ".repeat(20);
/** Stands beside each file of the canary, and nowhere else. */
export const CANARY_ONLY = "canary-only";
const LINE_CHARS_MAX = 120;

/** A folder that is raced for, and a tree elsewhere that has the same paths and must stay as it is. */
export class RaceLab implements Disposable {
  readonly #home = mkdtempSync(join(tmpdir(), "fanfold-race-"));
  readonly folder = join(this.#home, "sink");
  readonly canary = join(this.#home, "canary");
  readonly #before: string;

  /** `files`: paths that the canary has, so that an operation which goes astray finds what it looks for. */
  constructor(files: readonly string[]) {
    mkdirSync(this.folder);
    for (const path of files) {
      mkdirSync(dirname(join(this.canary, path)), { recursive: true });
      writeFileSync(join(this.canary, path), CANARY);
      writeFileSync(join(this.canary, dirname(path), CANARY_ONLY), CANARY);
    }
    this.#before = fullTreeFacts(this.canary);
  }

  path(name: string): string {
    return join(this.#home, name);
  }

  /** How the canary differs from what it was; undefined when it does not. */
  harm(): string | undefined {
    const now = fullTreeFacts(this.canary);
    if (now === this.#before) return undefined;
    const [before, after] = [this.#before.split("\n"), now.split("\n")];
    const gone = before.filter((line) => !after.includes(line)).map((line) => `- ${line.slice(0, LINE_CHARS_MAX)}`);
    const come = after.filter((line) => !before.includes(line)).map((line) => `+ ${line.slice(0, LINE_CHARS_MAX)}`);
    return [...gone, ...come].join("\n");
  }

  /** Swaps these directories of the folder for links to those of the canary, in a process of its own, until it is stopped. */
  async attack(paths: readonly string[]): Promise<Attack> {
    const program = fileURLToPath(new URL("./swapper.ts", import.meta.url));
    const child = spawn(process.execPath, [program, this.folder, this.canary, ...paths], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    let said = "";
    child.stdout.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
    await once(child.stdout, "data");
    return {
      async stop() {
        const ended = once(child, "close");
        child.stdin.end();
        await ended;
        return Number(said.split("\n")[1]);
      },
    };
  }

  [Symbol.dispose](): void {
    removeTree(this.#home);
  }
}

export interface Attack {
  /** Ends it; gives how many swaps it made. */
  stop(): Promise<number>;
}
