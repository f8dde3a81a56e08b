import type { CoordinatorOptions } from "../coordinator/coordinator.ts";
import type { SinkOptions } from "../sink/sink.ts";
import type { VerifyOptions } from "../sink/verify/verify.ts";
import type { CancelOptions } from "../source/cancel.ts";
import type { SourceOptions } from "../source/source-options.ts";

/** Options of which some may be left out. */
type Eased<Options, Names extends keyof Options> = Omit<Options, Names> & Partial<Pick<Options, Names>>;

/** Without `coordinator` it is the one on this machine; without `stateDir` the directory that the command takes. */
export type RunSourceOptions = Eased<SourceOptions, "coordinator" | "signal" | "stateDir">;
/** The same as for a source. */
export type CancelSessionOptions = Eased<CancelOptions, "coordinator" | "signal" | "stateDir">;
/** Without `coordinator` it is the one on this machine. */
export type RunSinkOptions = Eased<SinkOptions, "coordinator" | "signal">;
/** Only `folder` is needed. */
export type VerifyFolderOptions = Eased<VerifyOptions, "signal">;
/** Without `stateDir` it is the directory that the command takes, one for each port. */
export type OpenCoordinatorOptions = Eased<Omit<CoordinatorOptions, "credentialsTtlMs">, "signal" | "stateDir">;
