import { render } from "preact";
import { connect } from "./core/server.ts";
import { App } from "./shell/app.tsx";
import "./style.css";

connect();
render(<App />, document.getElementById("app")!);
