/** Where a part of fanfold tells what only its developers need. The commands show it under `--verbose`. */
export interface Logger {
  /** One line, and facts that belong to it. It is called often, and must not throw. */
  debug(message: string, fields?: Readonly<Record<string, unknown>>): void;
}

export const silentLogger: Logger = { debug: () => undefined };
