/** One of the servers that a client may use, by its `host:port`. */
interface PoolServer {
  readonly listen: string;
}

/** Which server is tried next: each once before any is tried again, and the one that was lost after all others. Pure. */
export class ServerTour {
  readonly #tried = new Set<string>();
  #lost: string | undefined;

  /** The link to this server went down. */
  lost(listen: string): void {
    this.#lost = listen;
    this.#tried.clear();
  }

  /** Undefined when the pool is empty. Counts it as tried. */
  next<T extends PoolServer>(pool: readonly T[]): T | undefined {
    if (pool.every(({ listen }) => this.#tried.has(listen))) this.#tried.clear();
    const untried = pool.filter(({ listen }) => !this.#tried.has(listen));
    const next = untried.find(({ listen }) => listen !== this.#lost) ?? untried[0];
    if (next !== undefined) this.#tried.add(next.listen);
    return next;
  }
}
