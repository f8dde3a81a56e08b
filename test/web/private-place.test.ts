import { expect, test } from "vitest";
import { isPrivatePlace } from "../../src/web/store/private-place.ts";

test.each([
  ["https://backup.example", true],
  ["http://localhost:7117", true],
  ["http://box.localhost", true],
  ["http://127.0.0.1:7117", true],
  ["http://127.9.8.7", true],
  ["http://[::1]:7117", true],
  ["http://backup.example", false],
  ["http://127.0.0.1.example", false],
  ["http://localhost.example", false],
  ["http://192.168.1.4:7117", false],
  ["http://[fe80::1]", false],
])("a token may be typed in at %s: %s", (url, expected) => {
  expect(isPrivatePlace(new URL(url))).toBe(expected);
});
