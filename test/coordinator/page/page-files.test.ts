import { brotliDecompressSync, gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { readPage } from "../../../src/coordinator/page/page-files.ts";

/** All that a browser loads for the page, as it comes over the wire. */
const COMPRESSED_BYTES_MAX = 60 * 1024;

const page = readPage();

function get(path: string, encoding = "gzip, deflate, br") {
  const answer = page(path, { "accept-encoding": encoding });
  if (answer === undefined || !(answer.body instanceof Uint8Array)) throw new Error(`nothing is at ${path}`);
  return { ...answer, body: answer.body };
}

function filesOf(document: string): readonly string[] {
  return [...document.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, path = ""]) => path);
}

describe("the web page", () => {
  const document = String(brotliDecompressSync(get("/").body));

  test("has one document for all its paths, which runs nothing but its own files", () => {
    const { headers, type } = get("/");
    expect(type).toBe("text/html");
    expect(headers?.["content-security-policy"]).toMatch(/^default-src 'none'; script-src 'self'; style-src 'self';/);
    expect(headers?.["content-security-policy"]).not.toMatch(/unsafe|https?:|\*/);
    expect(headers?.["cache-control"]).toBe("no-cache");
    expect(String(brotliDecompressSync(get("/sessions/abc").body))).toBe(document);
    expect(document).not.toMatch(/<script>|<style|style=|\son\w+=/);
  });

  test("keeps its files for ever, under names that change with them", () => {
    const files = filesOf(document);
    expect(files).toHaveLength(3);
    for (const file of files) {
      expect(file).toMatch(/^\/web\/\w+-[0-9a-f]{10}\.(js|css|svg)$/);
      expect(get(file).headers?.["cache-control"]).toBe("public, max-age=31536000, immutable");
    }
  });

  test("is less than 60 kB", () => {
    const bytes = ["/", ...filesOf(document)].map((path) => get(path).body.length);
    expect(bytes.reduce((sum, each) => sum + each)).toBeLessThan(COMPRESSED_BYTES_MAX);
  });

  test("comes compressed as the browser takes it, and plain where it takes nothing", () => {
    const [, , script = ""] = filesOf(document);
    const plain = get(script, "identity");
    expect(plain.headers).not.toHaveProperty("content-encoding");
    expect(get(script, "gzip").headers).toMatchObject({ "content-encoding": "gzip", vary: "accept-encoding" });
    expect(gunzipSync(get(script, "gzip").body)).toEqual(Buffer.from(plain.body));
    expect(get(script, "br;q=0, gzip;q=0.5").headers).toMatchObject({ "content-encoding": "gzip" });
  });

  test.each(["/web/../../package.json", "/web/%2e%2e/cli.js", "/web/", "/web/page.js", "/web/index.html.br"])(
    "has nothing at %s",
    (path) => {
      expect(page(path, {})).toBeUndefined();
    },
  );
});
