/** Modules and functions that run commands or reach the machine: no honest checkpoint names one. */
const DANGEROUS =
  /^(os|posix|nt|subprocess|sys|shutil|runpy|importlib|socket|pty|ctypes|webbrowser|code)(\.|$)|^(builtins|__builtin__)\.(eval|exec|execfile|compile|__import__|open)$/;

const PLAIN =
  'save the state dict alone, or read the file with { unknownGlobals: "inert" }, which keeps such objects as records';

/** What to do about a file that names a global not known here. */
export function adviceFor(globalName: string): string {
  if (DANGEROUS.test(globalName)) return "do not open this file with torch.load(): it would run that";
  if (globalName === "torch.storage._load_from_bytes") return "save tensors, not storages";
  if (/sparse/.test(globalName)) return "sparse tensors are not read: save tensor.to_dense()";
  if (/qtensor|\.Q\w+Storage$|\.qu?int/.test(globalName)) {
    return "quantized tensors are not read: save tensor.dequantize()";
  }
  if (/Complex|\.complex/.test(globalName))
    return "complex tensors are not read: save torch.view_as_real(tensor)";
  return PLAIN;
}
