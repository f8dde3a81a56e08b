import { styleText } from "node:util";
import type { Environment } from "../../process/program-io.ts";

type Paint = (text: string) => string;

/** How the views look: a few colours, and the characters of a bar. */
export interface Style {
  readonly good: Paint;
  readonly bad: Paint;
  readonly careful: Paint;
  readonly strong: Paint;
  readonly quiet: Paint;
  readonly accent: Paint;
  readonly barDone: string;
  readonly barLeft: string;
  readonly separator: string;
  /** False: nothing but ASCII can be seen. */
  readonly unicode: boolean;
}

interface StyleOptions {
  readonly colour: boolean;
  readonly unicode: boolean;
}

type Format = Parameters<typeof styleText>[0];

export function createStyle({ colour, unicode }: StyleOptions): Style {
  const paint = (format: Format): Paint =>
    colour ? (text) => (text === "" ? "" : styleText(format, text, { validateStream: false })) : (text) => text;
  return {
    good: paint("green"),
    bad: paint("red"),
    careful: paint("yellow"),
    strong: paint("bold"),
    quiet: paint("dim"),
    accent: paint("cyan"),
    barDone: unicode ? "█" : "#",
    barLeft: unicode ? "░" : "-",
    separator: unicode ? " · " : " | ",
    unicode,
  };
}

/** Without colours: for files, pipes and tests. */
export const PLAIN_STYLE: Style = createStyle({ colour: false, unicode: true });

/** Whether the terminal shows more than ASCII: it does unless its locale or its kind says otherwise. */
export function speaksUnicode(env: Environment): boolean {
  if (env.TERM === "linux" || env.TERM === "dumb") return false;
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG || "";
  return locale === "" || /utf-?8/i.test(locale);
}
