/**
 * What a document names must exist. These are paths in the repository between backticks, and file names behind such a
 * path. Pages and headings that links lead to must exist, too. A file name alone is one of the folder of the path before
 * it in the paragraph.
 */
import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join, normalize } from "node:path";

const CODE = /`([^`\s]+)`/g;
const PATH = /^(src|test|bench|scripts|docs|bin|\.ci)\/[\w./-]*\w\/?$/;
const FILE_NAME = /^[\w-]+\.(ts|mjs|cjs|grit)$/;
const LINK = /\]\(([^)\s]+)\)/g;

/** `files` are the tracked ones, relative to the root. */
export function documentProblems(file: string, text: string, files: readonly string[]): string[] {
  return [...nameProblems(file, text, files), ...linkProblems(file, text)];
}

function nameProblems(file: string, text: string, files: readonly string[]): string[] {
  const names = new Set(files.map((path) => path.slice(path.lastIndexOf("/") + 1)));
  const problems: string[] = [];
  let line = 1;
  for (const paragraph of text.split(/\n(?=\n|[-|] |\d+\. )/)) {
    let folder: string | undefined;
    for (const [, name = ""] of paragraph.matchAll(CODE)) {
      if (PATH.test(name)) {
        if (existsSync(name)) folder = statSync(name).isDirectory() ? name : dirname(name);
        else problems.push(`${file}:${line}: \`${name}\` does not exist`);
      } else if (FILE_NAME.test(name)) {
        const isThere = folder === undefined ? names.has(name) : existsSync(join(folder, name));
        if (!isThere)
          problems.push(`${file}:${line}: \`${name}\` does not exist${folder === undefined ? "" : ` in ${folder}`}`);
      }
    }
    line += paragraph.split("\n").length;
  }
  return problems;
}

function linkProblems(file: string, text: string): string[] {
  return text.split("\n").flatMap((line, index) =>
    [...line.matchAll(LINK)].flatMap(([, target = ""]) => {
      if (/^[a-z]+:/.test(target)) return [];
      const [path = "", heading] = target.split("#");
      const page = path === "" ? file : normalize(join(dirname(file), path));
      if (!existsSync(page)) return [`${file}:${index + 1}: the link to ${target} leads nowhere`];
      if (heading === undefined || headingsOf(readFileSync(page, "utf8")).has(heading)) return [];
      return [`${file}:${index + 1}: ${page} has no heading "#${heading}"`];
    }),
  );
}

/** As GitHub names them in links. */
function headingsOf(text: string): Set<string> {
  const prose = text.replaceAll(/^```[\s\S]*?^```/gm, "");
  return new Set(
    [...prose.matchAll(/^#{1,6} (.*)$/gm)].map(([, title = ""]) =>
      title
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .trim()
        .replaceAll(" ", "-"),
    ),
  );
}
