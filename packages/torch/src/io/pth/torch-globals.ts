import type { MakeError } from "../file-errors.ts";
import { Callable, kindOf, Marker } from "../pickle/values.ts";
import type { DTypeName, RawTensor } from "../raw-tensor.ts";
import { BYTES_PER_ELEMENT, isRawTensor } from "../raw-tensor.ts";
import { StorageType } from "./storage.ts";
import { STORAGE_TYPES } from "./storage-types.ts";
import type { TensorTable } from "./tensor-table.ts";

const UNTYPED = ["torch.UntypedStorage", "torch.storage.UntypedStorage", "torch.storage._UntypedStorage"];

/** Classes that appear only as arguments of the rebuild functions. */
const TENSOR_CLASSES = ["torch.Tensor", "torch._tensor.Tensor", "torch.nn.parameter.Parameter"];

/** What torch.save() calls to rebuild tensors, and the types it names. */
export function torchGlobals(tensors: TensorTable, error: MakeError): Map<string, unknown> {
  const globals = new Map<string, unknown>();
  const define = (name: string, apply: (args: readonly unknown[]) => unknown) =>
    globals.set(name, new Callable(name, apply));
  for (const [name, dtype] of Object.entries(STORAGE_TYPES)) {
    for (const module of ["torch", "torch.cuda"]) globals.set(`${module}.${name}`, new StorageType(dtype));
  }
  for (const name of UNTYPED) globals.set(name, new StorageType("uint8"));
  for (const name of TENSOR_CLASSES) globals.set(name, new Marker(name));
  for (const dtype of Object.keys(BYTES_PER_ELEMENT)) globals.set(`torch.${dtype}`, `torch.${dtype}`);
  define("torch.Size", ([sizes]) => sizesOf(sizes, error));
  define("torch.device", (args) => deviceOf(args, error));
  // The rest of the arguments, gradients wanted and hooks, has no meaning without autograd.
  const rebuild = ([storage, offset, size, stride]: readonly unknown[]) =>
    tensors.rebuild(storage, offset, size, stride);
  define("torch._utils._rebuild_tensor", rebuild);
  define("torch._utils._rebuild_tensor_v2", rebuild);
  define("torch._utils._rebuild_tensor_v3", ([storage, offset, size, stride, , , dtype]) =>
    tensors.rebuild(storage, offset, size, stride, dtypeOf(dtype, error)),
  );
  define("torch._utils._rebuild_parameter", ([tensor]) => tensorOf(tensor, error));
  define("torch._utils._rebuild_parameter_with_state", ([tensor]) => tensorOf(tensor, error));
  define("torch._tensor._rebuild_from_type_v2", ([build, , args]) => rebuildFromType(build, args, error));
  return globals;
}

function tensorOf(value: unknown, error: MakeError): RawTensor {
  if (!isRawTensor(value)) throw error(`expected the tensor of a parameter, got ${kindOf(value)}`);
  return value;
}

/** Rebuilds `_rebuild_from_type_v2(function, type, args, state)`: a tensor with Python attributes, which are dropped. */
function rebuildFromType(build: unknown, args: unknown, error: MakeError): RawTensor {
  if (
    !(build instanceof Callable) ||
    !build.name.startsWith("torch._utils._rebuild_") ||
    !Array.isArray(args)
  ) {
    throw error(`expected a function that rebuilds a tensor, got ${kindOf(build)}`);
  }
  return tensorOf(build.apply(args), error);
}

function dtypeOf(value: unknown, error: MakeError): DTypeName {
  const name = typeof value === "string" ? value.replace(/^torch\./, "") : "";
  if (!Object.hasOwn(BYTES_PER_ELEMENT, name))
    throw error(`expected the dtype of a tensor, got ${kindOf(value)}`);
  return name as DTypeName;
}

function sizesOf(value: unknown, error: MakeError): unknown[] {
  if (!Array.isArray(value)) throw error(`expected the numbers of a torch.Size, got ${kindOf(value)}`);
  return value;
}

/** As PyTorch prints it: "cpu", "cuda:0". */
function deviceOf([type, index]: readonly unknown[], error: MakeError): string {
  if (typeof type !== "string") throw error(`expected the name of a torch.device, got ${kindOf(type)}`);
  return typeof index === "number" ? `${type}:${index}` : type;
}
