/** Where a part of fanfold tells what only its developers need. The commands show it under `--verbose`. */
export interface Logger {
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export const silentLogger: Logger = { debug: () => undefined };
