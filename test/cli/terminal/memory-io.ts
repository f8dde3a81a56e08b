import type { Environment, Output, ProgramIo } from "../../../src/cli/process/program-io.ts";
import { ManualClock } from "../../coordinator/manual-clock.ts";

/** An output that keeps what it got. */
export class MemoryOutput implements Output {
  text = "";

  write(text: string): void {
    this.text += text;
  }

  get lines(): string[] {
    return this.text.split("\n").slice(0, -1);
  }
}

export interface MemoryIo extends ProgramIo {
  readonly stdout: MemoryOutput;
  readonly stderr: MemoryOutput;
  readonly clock: ManualClock;
}

export function memoryIo(env: Environment = {}): MemoryIo {
  return { stdout: new MemoryOutput(), stderr: new MemoryOutput(), env, clock: new ManualClock() };
}
