// Puts the modules of src together, so that each program and thread starts from a few files and not from hundreds. Run by
// build.mjs with Node.js 24. Prints the names of the files it made in dist, one a line.
import { join } from "node:path";
import { rolldown } from "rolldown";
import { bundleThreads, INPUT } from "./bundle-threads.ts";

const PROGRAMS = { index: "src/index.ts", cli: "src/cli.ts" };
/** What each command loads. Modules that the same commands load go into one file: a file costs more than its code. */
const COMMANDS = {
  every: ["src/cli.ts"],
  coordinator: [
    "src/cli/commands/copying/coordinator-command.ts",
    "src/coordinator/coordinator.ts",
    "src/transport/embedded/relay.ts",
    "src/transport/router-transport.ts",
  ],
  source: [
    "src/cli/commands/copying/source-command.ts",
    "src/source/source.ts",
    "src/source/cancel.ts",
    "src/transport/embedded/client.ts",
  ],
  sink: ["src/cli/commands/copying/sink-command.ts", "src/sink/sink.ts", "src/transport/embedded/client.ts"],
};

const EVERY = "shared-every";
const MAIN = join(process.cwd(), COMMANDS.every[0]);
let loaded;

const build = await rolldown({
  ...INPUT,
  input: PROGRAMS,
  preserveEntrySignatures: "allow-extension",
});
// Names without a hash: a program that runs meanwhile finds what it loads later.
const { output } = await build.write({
  dir: "dist/app",
  format: "cjs",
  entryFileNames: "[name].cjs",
  chunkFileNames: "[name].cjs",
  sourcemap: true,
  codeSplitting: {
    // What they need is loaded by the same commands or by more, so no two files need each other.
    groups: [
      // Without the file that starts the program: who needs a part of it must not start it.
      { ...group("every", (name) => name === EVERY), minShareCount: 1 },
      { ...group("shared", (name) => name !== EVERY), minShareCount: 2 },
    ],
  },
});
await build.close();
const made = [...output.map(({ fileName }) => fileName), ...(await bundleThreads("dist/app"))];
process.stdout.write(made.map((name) => `app/${name}\n`).join(""));

function group(debugName, isWanted) {
  const name = (id, modules) => {
    const file = byCommands(id, modules);
    return file !== null && isWanted(file) && id !== MAIN ? file : null;
  };
  return { name, debugName, includeDependenciesRecursively: false };
}

/** Names the file of a module; none for what only another command loads. */
function byCommands(id, modules) {
  loaded ??= Object.entries(COMMANDS).map(([name, from]) => ({ name, ids: neededBy(from, modules) }));
  const names = loaded.filter(({ ids }) => ids.has(id)).map(({ name }) => name);
  if (names.includes("every")) return EVERY;
  return names.length === 0 ? null : `shared-${names.join("-")}`;
}

/** All that they import, and what that imports. */
function neededBy(from, modules) {
  const ids = new Set();
  const left = from.map((name) => join(process.cwd(), name));
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    if (ids.has(id)) continue;
    ids.add(id);
    left.push(...(modules.getModuleInfo(id)?.importedIds ?? []));
  }
  return ids;
}
