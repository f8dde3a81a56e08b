import { FanfoldError } from "../errors.ts";

/** A program has failed. What it printed stays apart: not everybody may read it who may read the rest. */
export class ProgramFailure extends FanfoldError {
  readonly output: string;

  constructor(message: string, output: string) {
    super("refused", message);
    this.output = output;
  }
}
