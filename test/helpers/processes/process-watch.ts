import { readFileSync } from "node:fs";

/** Looks at a file of running processes in `/proc` again and again; what was seen last of one that has ended stays. Linux only. */
export class ProcessWatch<T> implements Disposable {
  readonly seen = new Map<string, T>();
  readonly #timer: NodeJS.Timeout;

  /** `parse` gives undefined where the file says nothing of it. */
  constructor(
    pids: ReadonlyMap<string, number>,
    watch: { readonly file: string; readonly everyMs: number; readonly parse: (text: string) => T | undefined },
  ) {
    const sample = (): void => {
      for (const [name, pid] of pids) {
        const value = watch.parse(textOf(`/proc/${pid}/${watch.file}`));
        if (value !== undefined) this.seen.set(name, value);
      }
    };
    this.#timer = setInterval(sample, watch.everyMs);
    sample();
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
