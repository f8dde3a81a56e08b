// Makes the web page of src/web: a document, and a script, a style and an icon whose names change with their content. All is
// compressed here, so that no coordinator has to. Run by build.mjs with Node.js 24. Prints the names of the files it made in
// dist, one a line.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { rolldown } from "rolldown";

const FROM = "src/web";
const TO = "dist/web";
const HASH_CHARS = 10;

mkdirSync(TO, { recursive: true });
const made = [];
const icon = put("icon.svg", readFileSync(join(FROM, "icon.svg")));
const style = put("page.css", styleText());
const script = put("page.js", await scriptText());
const names = { icon, style, script };
const document = readFileSync(join(FROM, "index.html"), "utf8").replace(/\{(\w+)\}/g, (_, name) => names[name]);
write("index.html", document);
process.stdout.write(made.map((name) => `web/${name}\n`).join(""));

async function scriptText() {
  const build = await rolldown({
    input: join(FROM, "main.tsx"),
    platform: "browser",
    transform: { target: "es2023" },
  });
  const { output } = await build.generate({ format: "esm", minify: true, codeSplitting: false });
  await build.close();
  const [{ code, imports }] = output;
  if (imports.length > 0) throw new Error(`the web page needs what no browser has: ${imports.join(", ")}`);
  return code;
}

/** The sheets in the order of their names, without comments and the spaces at the beginning of lines. */
function styleText() {
  const folder = join(FROM, "style");
  const sheets = readdirSync(folder).sort();
  const text = sheets.map((name) => readFileSync(join(folder, name), "utf8")).join("\n");
  return text.replace(/\/\*[\s\S]*?\*\//g, "").replace(/\s*\n\s*/g, "\n");
}

/** Gives the name under which the page finds it. */
function put(name, content) {
  const hash = createHash("sha256").update(content).digest("hex").slice(0, HASH_CHARS);
  const hashed = name.replace(".", `-${hash}.`);
  write(hashed, content);
  return hashed;
}

function write(name, content) {
  const bytes = Buffer.from(content);
  for (const [file, data] of [
    [name, bytes],
    [`${name}.br`, brotliCompressSync(bytes)],
    [`${name}.gz`, gzipSync(bytes, { level: 9 })],
  ]) {
    writeFileSync(join(TO, file), data);
    made.push(file);
  }
}
