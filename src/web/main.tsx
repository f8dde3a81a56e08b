import { render } from "preact";
import { App } from "./app.tsx";
import { connect } from "./store/link.ts";
import { followLinks } from "./store/place.ts";

const root = document.getElementById("page");
if (root !== null) {
  render(<App />, root);
  followLinks();
  void connect();
}
