import { type InputOptions, type Plugin, rolldown } from "rolldown";

/** By the names that they are opened with. Each is one file, because it shares nothing with who opens it. */
const THREADS = {
  "engine-worker": "src/sink/engine/engine-worker.ts",
  "verify-worker": "src/sink/verify/verify-worker.ts",
  "walk-worker": "src/source/walk/walk-worker.ts",
  "read-worker": "src/source/read/read-worker.ts",
};
/** Native code finds its files by its own place; amqplib is loaded by few. */
const APART = /^(koffi|@napi-rs\/|amqplib|node:)/;

/** What libraries load at once and never call here: it costs each program more than its own code. */
const UNUSED: readonly { readonly by: RegExp; readonly module: string }[] = [
  // Each command is a part of this program, and none a program of its own.
  { by: /node_modules\/commander\//, module: "node:child_process" },
  // A WebSocket gets its connection ready made (src/member/control-link.ts), and the server its sockets.
  { by: /node_modules\/ws\//, module: "https" },
  { by: /node_modules\/ws\//, module: "tls" },
  // Only its bar is drawn.
  { by: /node_modules\/cli-progress\//, module: "readline" },
  { by: /node_modules\/cli-progress\//, module: "string-width" },
];
const NOTHING = "\0nothing";

function isUnused(module: string, importer = ""): boolean {
  return UNUSED.some((unused) => unused.module === module && unused.by.test(importer));
}

/** An empty module in the place of what is not used. */
const withoutUnused: Plugin = {
  name: "without-unused",
  resolveId: (module, importer) => (isUnused(module, importer) ? NOTHING : null),
  load: (id) => (id === NOTHING ? "module.exports = {};" : null),
};

/** What every bundle is made with. */
export const INPUT = {
  platform: "node",
  external: (id: string, importer: string | undefined) => APART.test(id) && !isUnused(id, importer),
  plugins: [withoutUnused],
} as const satisfies InputOptions;

/** Puts the modules of each thread into one file of a folder; gives the names of all files. */
export async function bundleThreads(dir: string): Promise<string[]> {
  const made: string[] = [];
  for (const [name, from] of Object.entries(THREADS)) {
    const build = await rolldown({ ...INPUT, input: { [name]: from } });
    const options = { entryFileNames: "[name].cjs", format: "cjs", sourcemap: true, codeSplitting: false } as const;
    const { output } = await build.write({ dir, ...options });
    await build.close();
    made.push(...output.map(({ fileName }) => fileName));
  }
  return made;
}
