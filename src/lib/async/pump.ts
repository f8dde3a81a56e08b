import { FanfoldError } from "../errors.ts";

/** Hands each item of an iterable to `take`, one after another; what either throws goes to `fail`. */
export async function pump<T>(
  items: AsyncIterable<T>,
  take: (item: T) => void | Promise<void>,
  fail: (error: FanfoldError) => void,
): Promise<void> {
  try {
    for await (const item of items) {
      const pending = take(item);
      if (pending !== undefined) await pending;
    }
  } catch (thrown) {
    fail(FanfoldError.from(thrown));
  }
}
