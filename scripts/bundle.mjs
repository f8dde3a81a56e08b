// Puts the modules of src together, so that each program and thread starts from a few files and not from hundreds. Run by
// build.mjs with Node.js 24; prints the names of the files it made in dist, one a line.
import { rolldown } from "rolldown";

const ENTRIES = {
  index: "src/index.ts",
  cli: "src/cli.ts",
  // Threads, by the names that they are opened with.
  "engine-worker": "src/sink/engine/engine-worker.ts",
  "verify-worker": "src/sink/verify/verify-worker.ts",
  "walk-worker": "src/source/walk/walk-worker.ts",
  "read-worker": "src/source/read/read-worker.ts",
};
/** Native code finds its files by its own place; amqplib is loaded by few. */
const APART = /^(koffi|@napi-rs\/|amqplib|node:)/;

const bundle = await rolldown({ input: ENTRIES, platform: "node", external: (id) => APART.test(id) });
// Names without a hash: a program that runs meanwhile finds what it loads later.
const { output } = await bundle.write({
  dir: "dist/app",
  format: "esm",
  entryFileNames: "[name].js",
  chunkFileNames: "[name].js",
  sourcemap: true,
});
await bundle.close();
process.stdout.write(output.map(({ fileName }) => `app/${fileName}\n`).join(""));
