import type { Clock } from "../../lib/clock.ts";

/** A stream to print on: standard output, standard error, or a test's memory. */
export interface Output {
  write(text: string): unknown;
  readonly isTTY?: boolean;
  /** It is taken for a terminal, though it is none. */
  readonly isAssumed?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  /** A terminal that does not read at the moment: what is only of this moment need not be written. */
  readonly isBehind?: boolean;
  on?(event: "resize", listener: () => void): unknown;
  off?(event: "resize", listener: () => void): unknown;
}

/** The environment variables that are read anywhere. */
export interface Environment {
  readonly COLUMNS?: string | undefined;
  /** Of each option, such as `FANFOLD_DEST_COUNT`. */
  readonly [option: `FANFOLD_${string}`]: string | undefined;
  readonly FANFOLD_CONFIG?: string | undefined;
  readonly FANFOLD_PROFILE?: string | undefined;
  /** Taken out once it was read. */
  FANFOLD_TOKEN?: string | undefined;
  readonly FORCE_COLOR?: string | undefined;
  readonly LANG?: string | undefined;
  readonly LC_ALL?: string | undefined;
  readonly LC_CTYPE?: string | undefined;
  readonly LINES?: string | undefined;
  readonly NO_COLOR?: string | undefined;
  readonly TERM?: string | undefined;
  readonly XDG_CONFIG_HOME?: string | undefined;
  readonly XDG_STATE_HOME?: string | undefined;
}

/** What a command gets from its process. */
export interface ProgramIo {
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Environment;
  readonly clock: Clock;
}
