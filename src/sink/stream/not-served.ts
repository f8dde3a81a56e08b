import { FanfoldError } from "../../lib/errors.ts";

/**
 * The source decided without an answer of this sink. It does so when the sink was silent for a while and it no longer
 * serves it on this stream [P-9.3]. Then nothing is wrong, and a lane follows. Without a lane, the error is what it says.
 */
export class NotServed extends FanfoldError {}
