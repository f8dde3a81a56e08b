import { FanfoldError } from "../../lib/errors.ts";

/**
 * The source decided without an answer of this sink. It does so when it has heard nothing of the sink for a while, and serves it on
 * this stream no more [P-9.3]: then nothing is wrong, and a lane follows. Without a lane, the error is what it says.
 */
export class NotServed extends FanfoldError {}
