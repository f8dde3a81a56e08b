import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { abortable } from "../../src/lib/async/abort.ts";
import { systemRandom } from "../../src/lib/random.ts";
import { HOST, listening } from "../contenders/ports.ts";
import { Program } from "../contenders/program.ts";
import { configurationOf, type DeviceSetup, FOLDER } from "./configuration.ts";

/** What may bring a folder nearer to its end, and what says that it will not come. */
const NEWS = "DeviceConnected,StateChanged,RemoteIndexUpdated,FolderErrors";
/** What `generate` wrote, beside what each run writes. */
const GENERATED = "generated.xml";
/** It is told that somebody minds it already: it would start a second process, whose parent would be the one that is watched. */
const ENVIRONMENT = { STNODEFAULTFOLDER: "1", STNOUPGRADE: "1", STMONITORED: "yes" };

/** Of the folder: what the device knows of all, what it has itself, and what it still wants. */
export interface FolderStatus {
  readonly state: string;
  readonly globalTotalItems: number;
  readonly globalBytes: number;
  readonly localTotalItems: number;
  readonly localBytes: number;
  readonly needTotalItems: number;
}

export interface News {
  readonly id: number;
  readonly type: string;
  readonly data: {
    readonly from?: string;
    readonly to?: string;
    readonly errors?: readonly { readonly path: string; readonly error: string }[];
  };
}

interface Connections {
  readonly total: { readonly outBytesTotal: number };
  readonly connections: Readonly<Record<string, { readonly connected: boolean }>>;
}

/** Where a device keeps its key, its certificate and its index. */
export interface Home {
  readonly path: string;
  readonly id: string;
  /** Of the format of configurations. */
  readonly version: string;
}

/** A home is made once, and kept as long as the folder is. */
export function homeAt(path: string): Home {
  const generated = join(path, GENERATED);
  if (!existsSync(generated)) {
    const env = { ...process.env, ...ENVIRONMENT };
    execFileSync("syncthing", ["generate", "--home", path], { env, stdio: "ignore" });
    renameSync(join(path, "config.xml"), generated);
  }
  const text = readFileSync(generated, "utf8");
  const [version, id] = [/<configuration version="(\d+)"/, /<device id="([A-Z0-9-]+)"/].map(
    (pattern) => pattern.exec(text)?.[1],
  );
  if (version === undefined || id === undefined) throw new Error(`found no device in ${generated}`);
  return { path, id, version };
}

export type DeviceOptions = Omit<DeviceSetup, "version" | "self" | "apiKey"> & {
  readonly logPath: string;
  readonly signal: AbortSignal;
};

/** A device that runs, asked and told by its REST API. */
export class Device implements AsyncDisposable {
  readonly #program: Program;
  readonly #api: string;
  readonly #apiKey: string;
  readonly #signal: AbortSignal;
  #lastNews = 0;

  private constructor(program: Program, api: string, apiKey: string, signal: AbortSignal) {
    this.#program = program;
    this.#api = api;
    this.#apiKey = apiKey;
    this.#signal = signal;
  }

  static async start({ path, id, version }: Home, { logPath, signal, ...options }: DeviceOptions): Promise<Device> {
    const apiKey = systemRandom.id(16);
    const { role, port, apiPort } = options;
    const setup: DeviceSetup = { ...options, version, self: id, apiKey };
    writeFileSync(join(path, "config.xml"), configurationOf(setup));
    const args = ["serve", "--home", path, "--no-browser", "--no-restart"];
    const program = Program.start("syncthing", args, logPath, { name: `syncthing (${role})`, env: ENVIRONMENT });
    const device = new Device(program, `http://${HOST}:${apiPort}/rest`, apiKey, signal);
    try {
      const up = Promise.all([port, apiPort].map((each) => listening(each, signal, program.pid)));
      await abortable(Promise.race([up, device.#ended()]), signal);
      // From now on it keeps what it has to tell until it is asked.
      await device.#news(0);
      return device;
    } catch (thrown) {
      await device[Symbol.asyncDispose]();
      throw thrown;
    }
  }

  get pid(): number | undefined {
    return this.#program.pid;
  }

  /** Waits until a look says so: one now, and one whenever there is news. @throws Error when files cannot be brought over */
  async until(look: (news: readonly News[]) => boolean | Promise<boolean>): Promise<void> {
    let news: readonly News[] = [];
    while (!(await look(news))) {
      news = await abortable(Promise.race([this.#news(), this.#ended()]), this.#signal);
      const error = news.find(({ type }) => type === "FolderErrors")?.data.errors?.[0];
      if (error !== undefined) throw new Error(`syncthing cannot bring "${error.path}" over: ${error.error}`);
    }
  }

  async status(): Promise<FolderStatus> {
    return (await this.#ask("GET", `/db/status?folder=${FOLDER}`)) as FolderStatus;
  }

  async connected(): Promise<number> {
    const { connections } = (await this.#ask("GET", "/system/connections")) as Connections;
    return Object.values(connections).filter(({ connected }) => connected).length;
  }

  async sentBytes(): Promise<number> {
    return ((await this.#ask("GET", "/system/connections")) as Connections).total.outBytesTotal;
  }

  async unpause(): Promise<void> {
    await this.#ask("PATCH", `/config/folders/${FOLDER}`, { paused: false });
  }

  /** Looks through the folder, and is back at the end of it. */
  async rescan(): Promise<void> {
    await this.#ask("POST", `/db/scan?folder=${FOLDER}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#program[Symbol.asyncDispose]();
  }

  /** It answers when there is something to say, or after a minute. */
  async #news(timeoutSeconds = 60): Promise<readonly News[]> {
    const query = `events=${NEWS}&since=${this.#lastNews}&timeout=${timeoutSeconds}`;
    const news = (await this.#ask("GET", `/events?${query}`)) as readonly News[];
    this.#lastNews = news.at(-1)?.id ?? this.#lastNews;
    return news;
  }

  async #ask(method: string, path: string, body?: object): Promise<unknown> {
    const response = await fetch(`${this.#api}${path}`, {
      method,
      headers: { "X-API-Key": this.#apiKey },
      signal: this.#signal,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`syncthing answers ${response.status} to ${method} ${path}: ${text.trim()}`);
    return text === "" ? undefined : JSON.parse(text);
  }

  #ended(): Promise<never> {
    const ended = this.#program.failed();
    // Whoever does not wait for it any more may end.
    ended.catch(() => undefined);
    return ended;
  }
}
