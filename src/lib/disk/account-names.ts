import { closeSync, openSync, readSync } from "node:fs";

/** Of the file; more is not read. A line has some 60 bytes. */
const ACCOUNTS_BYTES_MAX = 8 * 1024 * 1024;
/** A name or id beyond is nobody's. */
const NAME_BYTES_MAX = 255;
const ID_MAX = 0xff_ff_ff_fe;

/** Names of users or groups and their numbers, as `/etc/passwd` or `/etc/group` had them when it was read. */
export class AccountNames {
  readonly #nameOf = new Map<number, Buffer>();
  readonly #idOf = new Map<string, number>();

  /**
   * `text` has lines of `name:password:id:…`. When two lines have the same name or id the first one counts, as for the
   * system.
   */
  constructor(text: Uint8Array) {
    for (const line of Buffer.from(text).toString("latin1").split("\n")) {
      const [name = "", , digits = ""] = line.split(":");
      const id = /^\d{1,10}$/.test(digits) ? Number(digits) : Number.NaN;
      if (name === "" || name.length > NAME_BYTES_MAX || name.includes("\0") || !(id <= ID_MAX)) continue;
      if (!this.#nameOf.has(id)) this.#nameOf.set(id, Buffer.from(name, "latin1"));
      if (!this.#idOf.has(name)) this.#idOf.set(name, id);
    }
  }

  /** Reads `/etc/passwd` or `/etc/group`. Without the file, or where it cannot be read, nothing has a name. */
  static read(file: "/etc/passwd" | "/etc/group"): AccountNames {
    let fd: number;
    try {
      fd = openSync(file, "r");
    } catch {
      return new AccountNames(Buffer.alloc(0));
    }
    try {
      const buffer = Buffer.alloc(ACCOUNTS_BYTES_MAX);
      let length = 0;
      for (let count = -1; count !== 0; length += count)
        count = readSync(fd, buffer, length, buffer.length - length, null);
      return new AccountNames(buffer.subarray(0, length));
    } catch {
      return new AccountNames(Buffer.alloc(0));
    } finally {
      closeSync(fd);
    }
  }

  /** Undefined for a number without a name, and for 0: the superuser is the same everywhere, whatever its name. */
  nameOf(id: number): Buffer | undefined {
    return id === 0 ? undefined : this.#nameOf.get(id);
  }

  idOf(name: Uint8Array): number | undefined {
    return this.#idOf.get(Buffer.from(name.buffer, name.byteOffset, name.byteLength).toString("latin1"));
  }
}
