import { pathKey } from "../../lib/disk/directories.ts";

/** Paths that are remembered, of either kind: what is beyond is treated as unknown, which costs time. */
const PATH_BYTES_MAX = 1024 * 1024;

/** What a session knows of directories that it went through, by relative path. */
export class KnownDirectories {
  readonly #made = new BoundedPaths();
  readonly #shut = new BoundedPaths();

  /** This session made it, so that what is to go into it cannot be there yet. */
  made(path: Uint8Array): void {
    this.#made.add(path);
  }

  isMade(path: Uint8Array): boolean {
    return this.#made.has(path);
  }

  /** Its owner may look into it, and put nothing in. False when it cannot be remembered. */
  shut(path: Uint8Array): boolean {
    return this.#shut.add(path);
  }

  /** True once of each that was shut. */
  takeShut(path: Uint8Array): boolean {
    return this.#shut.delete(path);
  }
}

class BoundedPaths {
  readonly #keys = new Set<string>();
  #bytes = 0;

  add(path: Uint8Array): boolean {
    if (this.#bytes + path.length > PATH_BYTES_MAX) return false;
    this.#bytes += path.length;
    this.#keys.add(pathKey(path));
    return true;
  }

  has(path: Uint8Array): boolean {
    return this.#keys.size > 0 && this.#keys.has(pathKey(path));
  }

  delete(path: Uint8Array): boolean {
    if (this.#keys.size === 0 || !this.#keys.delete(pathKey(path))) return false;
    this.#bytes -= path.length;
    return true;
  }
}
