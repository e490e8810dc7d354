/** Runs a model in a thread of its own, so that the page stays alive. */
import type { InferenceSession, Tensor, TypedTensor } from "onnxruntime-web";
import { modelInput, type Pixels } from "./input.ts";
import type { Answer, Backend, Request, Results } from "./messages.ts";
import { type ModelMetadata, readMetadata } from "./metadata.ts";
import { classesAt } from "./output.ts";

type Runtime = typeof import("onnxruntime-web");

interface Loaded {
  readonly runtime: Runtime;
  readonly session: InferenceSession;
  readonly metadata: ModelMetadata;
}

let loaded: Loaded | undefined;

async function load(url: string, backend: Backend): Promise<ModelMetadata> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} could not be fetched: ${response.status} ${response.statusText}`);
  const model = new Uint8Array(await response.arrayBuffer());
  const metadata = readMetadata(model);
  // Each has a file of WebAssembly of its own; only the one that is used is fetched.
  const runtime: Runtime =
    backend === "webgpu" ? await import("onnxruntime-web/webgpu") : await import("onnxruntime-web/wasm");
  runtime.env.logLevel = "error";
  const session = await runtime.InferenceSession.create(model, { executionProviders: [backend] });
  loaded = { runtime, session, metadata };
  return metadata;
}

async function segment(pixels: Pixels): Promise<Uint8Array> {
  const { runtime, session, metadata } = loaded as Loaded;
  const { data, height, width } = modelInput(pixels, metadata.base);
  using images = disposable(new runtime.Tensor("float32", data, [1, 3, height, width]));
  const results = await session.run({ images: images.tensor });
  using output = disposable(results[metadata.output] as Tensor);
  const values = (await output.tensor.getData()) as Float32Array | Uint8Array;
  const planes = metadata.output === "classes" ? 1 : metadata.classes.length;
  return classesAt({ data: values, height, width, planes }, pixels, metadata.classes.length);
}

/** A tensor may lie on the graphics card, which no garbage collector knows. */
function disposable(tensor: Tensor | TypedTensor<"float32">) {
  return { tensor: tensor as Tensor, [Symbol.dispose]: () => tensor.dispose() };
}

async function handle(request: Request): Promise<Results[keyof Results]> {
  return request.kind === "load" ? load(request.url, request.backend) : segment(request.pixels);
}

self.onmessage = async ({ data: request }: MessageEvent<Request>) => {
  const answer = (message: Answer) => self.postMessage(message);
  try {
    answer({ id: request.id, result: await handle(request) });
  } catch (error) {
    answer({ id: request.id, error: error instanceof Error ? error.message : String(error) });
  }
};
