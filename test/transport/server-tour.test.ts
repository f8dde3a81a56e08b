import { expect, test } from "vitest";
import { ServerTour } from "../../src/transport/server-tour.ts";

const pool = ["a", "b", "c"].map((listen) => ({ listen }));
const take = (tour: ServerTour, count: number) => Array.from({ length: count }, () => tour.next(pool)?.listen);

test("the server that was lost is tried after all others, and each once before any is tried again", () => {
  const tour = new ServerTour();
  expect(take(tour, 1)).toEqual(["a"]);
  tour.lost("a");
  expect(take(tour, 6)).toEqual(["b", "c", "a", "b", "c", "a"]);
  tour.lost("c");
  expect(take(tour, 3)).toEqual(["a", "b", "c"]);
});

test("a server that is alone is tried again and again, and one that joins is tried before it", () => {
  const tour = new ServerTour();
  const [a = { listen: "" }, b = { listen: "" }] = pool;
  tour.lost("a");
  expect([tour.next([a]), tour.next([a]), tour.next([a, b]), tour.next([])]).toEqual([a, a, b, undefined]);
});
