import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { Program } from "./program.ts";

export const COMMAND = new URL("../../bin/fanfold.cjs", import.meta.url).pathname;
const FACTS_HOOK = new URL("process-facts.cjs", import.meta.url).pathname;

/** What a process of ours said when it ended. */
export interface ProcessFacts {
  /** Over all its connections. */
  readonly sentBytes: number;
  /** Of its whole life, threads included. */
  readonly cpuMs: number;
  readonly peakBytes: number;
}

export interface Start {
  /** For logs. */
  readonly name: string;
  readonly scratch: string;
  readonly profiles?: string | undefined;
  /** A program that starts it, and its arguments. */
  readonly by?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly onLine?: (line: string) => void;
}

/** One process of Node.js that is measured. */
export class NodeProgram {
  readonly program: Program;
  readonly #factsPath: string;

  private constructor(program: Program, factsPath: string) {
    this.program = program;
    this.#factsPath = factsPath;
  }

  /** Starts the built command. */
  static fanfold(args: readonly string[], start: Start): NodeProgram {
    return NodeProgram.start([COMMAND, ...args], start);
  }

  /** Starts a script. */
  static start(args: readonly string[], { name, scratch, profiles, by = [], env = {}, onLine }: Start): NodeProgram {
    const factsPath = join(scratch, `${name}.facts.json`);
    const [command = "", ...rest] = [
      ...by,
      process.execPath,
      "--require",
      FACTS_HOOK,
      ...profiling(profiles, name),
      ...args,
    ];
    const program = Program.start(command, rest, join(scratch, `${name}.log`), {
      name,
      env: { ...env, FANFOLD_BENCH_FACTS: factsPath },
      ...(onLine === undefined ? {} : { onLine }),
    });
    return new NodeProgram(program, factsPath);
  }

  /** Once it has ended. */
  facts(): ProcessFacts {
    return JSON.parse(readFileSync(this.#factsPath, "utf8"));
  }
}

function profiling(folder: string | undefined, name: string): string[] {
  if (folder === undefined) return [];
  const own = join(folder, name);
  mkdirSync(own, { recursive: true });
  return ["--cpu-prof", "--cpu-prof-dir", own];
}
