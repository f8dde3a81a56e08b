import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { main } from "../../../src/cli/main.ts";
import { memoryIo } from "../terminal/memory-io.ts";

/** What `fanfold config show --json` says of an option. */
export interface ShownOption {
  readonly option: string;
  readonly value: unknown;
  readonly from: string;
  readonly variable?: string;
  readonly file?: string;
  readonly line?: number;
  readonly instead: readonly { readonly from: string; readonly line?: number }[];
}

/** Configuration files in a folder of their own, and commands that read them. */
export class ConfigLab {
  readonly folder = mkdtempSync(join(tmpdir(), "fanfold-config-"));
  /** The file of the user. */
  readonly user = join(this.folder, "fanfold", "fanfold.toml");

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }

  path(name: string): string {
    return join(this.folder, name);
  }

  write(text: string | Uint8Array, name = "named.toml"): string {
    return this.#write(this.path(name), text);
  }

  writeUser(text: string): string {
    return this.#write(this.user, text);
  }

  async run(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const io = memoryIo({ XDG_CONFIG_HOME: this.folder, ...env });
    const status = await main(args, io);
    return { status, out: io.stdout.text, err: io.stderr.text };
  }

  /** The options of a command by their names. */
  async show(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Map<string, ShownOption>> {
    const { status, out, err } = await this.run(["config", "show", "--json", ...args], env);
    if (status !== 0) throw new Error(err);
    const { commands } = JSON.parse(out) as { readonly commands: readonly { readonly options: ShownOption[] }[] };
    return new Map((commands[0]?.options ?? []).map((option) => [option.option, option]));
  }

  #write(path: string, text: string | Uint8Array): string {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
    chmodSync(path, 0o600);
    return path;
  }
}
