import { lstatSync, mkdirSync, readdirSync, renameSync } from "node:fs";
import { join } from "node:path";
import type { Contender, Entrant, Job } from "./contender.ts";
import { likeSource } from "./like-source.ts";
import { Program, versionOf } from "./program.ts";

/** A program that keeps backups in a repository, each piece of content once. */
interface Keeper {
  readonly name: string;
  readonly env: (repository: string, scratch: string) => Readonly<Record<string, string>>;
  readonly init: readonly string[];
  readonly backUp: (file: string, mark: string) => readonly string[];
  readonly restore: (target: string, mark: string) => readonly string[];
}

const BORG: Keeper = {
  name: "borg",
  env: (repository, scratch) => ({
    ...{ BORG_REPO: repository, BORG_BASE_DIR: join(scratch, "borg") },
    BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK: "yes",
  }),
  init: ["init", "--encryption", "none"],
  backUp: (file, mark) => ["create", `::${mark}`, file],
  restore: (_, mark) => ["extract", `::${mark}`],
};

const RESTIC: Keeper = {
  name: "restic",
  env: (repository, scratch) => ({
    ...{ RESTIC_REPOSITORY: repository, RESTIC_PASSWORD: "bench", RESTIC_CACHE_DIR: join(scratch, "restic") },
  }),
  init: ["init"],
  backUp: (file, mark) => ["backup", "--tag", mark, file],
  restore: (target, mark) => ["restore", "latest", "--tag", mark, "--target", target],
};

export function enterBorg(): Entrant {
  return enter(BORG);
}

export function enterRestic(): Entrant {
  return enter(RESTIC);
}

function enter(keeper: Keeper): Entrant {
  const { name } = keeper;
  const version = versionOf(name) ?? versionOf(name, "version");
  return version === undefined ? { name, missing: "not installed" } : { contender: contenderOf(keeper), version };
}

/**
 * The repository has the older version already; the clock runs for the backup of the new one. "Sent" is what the repository
 * grows by. Then the new one is restored into the copy, for the judge.
 */
function contenderOf({ name, env: envOf, ...keeper }: Keeper): Contender {
  return {
    name,
    copiesMax: 1,
    async run({ source, copies: [copy = ""], scratch, signal }: Job, meter) {
      const repository = join(scratch, "repository");
      const env = envOf(repository, scratch);
      await using started = new AsyncDisposableStack();
      const start = (folder: string, args: readonly string[]): Program => {
        const all = [`--chdir=${folder}`, name, ...args];
        return started.use(Program.start("env", all, join(scratch, `${name}.log`), { name, env }));
      };
      const file = onlyFileIn(source);
      await start(scratch, keeper.init).succeeded(signal);
      await start(copy, keeper.backUp(file, "old")).succeeded(signal);
      const before = bytesIn(repository);
      meter.start();
      const backUp = start(source, keeper.backUp(file, "new"));
      meter.watch("sender", backUp.pid);
      await backUp.succeeded(signal);
      const usage = await meter.stop();
      const sentBytes = bytesIn(repository) - before;
      const target = join(scratch, "restored");
      mkdirSync(target);
      await start(target, keeper.restore(target, "new")).succeeded(signal);
      renameSync(join(target, file), join(copy, file));
      likeSource(source, copy, file);
      return { ...usage, sentBytes };
    },
  };
}

function onlyFileIn(folder: string): string {
  const [name = "", ...more] = readdirSync(folder);
  if (name === "" || more.length > 0) throw new Error(`want one file in ${folder}, found ${more.length + 1} entries`);
  return name;
}

function bytesIn(folder: string): number {
  const entries = readdirSync(folder, { withFileTypes: true, recursive: true }).filter((entry) => entry.isFile());
  return entries.reduce((sum, { parentPath, name }) => sum + lstatSync(join(parentPath, name)).size, 0);
}
