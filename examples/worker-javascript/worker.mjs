// A worker for nnconform in JavaScript: an example of spec/protocol.md for any language.
//
// Node.js 18 or later, no packages. It implements the operations with Math.max, Math.min, Math.expm1, Math.exp and
// Math.sqrt, combined as the clauses prescribe, on float32 and float64.

import { fstatSync } from "node:fs";

class Unsupported extends Error {}

// ---- Tensors (PROTOCOL-6): {dtype, shape, data}, where data is base64 in a message and a typed array here.

// Storing a number in a typed array rounds it to the array's type, to nearest, ties to even.
const KINDS = {
  float32: { Values: Float32Array, round: Math.fround, read: "readFloatLE", write: "writeFloatLE" },
  float64: { Values: Float64Array, round: (v) => v, read: "readDoubleLE", write: "writeDoubleLE" },
};

function decode(value) {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(decode);
  if ("indices" in value) throw new Unsupported("JavaScript has no sparse gradients");
  const { dtype, shape, data } = value;
  if (!(dtype in KINDS)) throw new Unsupported(`the typed arrays of this worker have no ${dtype}`);
  const { Values, read } = KINDS[dtype];
  const bytes = Buffer.from(data, "base64");
  const size = Values.BYTES_PER_ELEMENT;
  const block = Values.from({ length: bytes.length / size }, (_, i) => bytes[read](i * size));
  const length = shape.reduce((product, n) => product * n, 1);
  // If there are fewer elements than the shape needs, they repeat.
  return { dtype, shape, data: block.length === length ? block : new Values(length).map((_, i) => block[i % block.length]) };
}

function encode(value) {
  if (value === null) return null;
  if (Array.isArray(value)) return value.map(encode);
  const { dtype, shape, data } = value;
  const bytes = Buffer.alloc(data.byteLength);
  data.forEach((v, i) => bytes[KINDS[dtype].write](v, i * data.BYTES_PER_ELEMENT));
  return { dtype, shape, data: bytes.toString("base64") };
}

const map = (tensor, f) => ({ ...tensor, data: tensor.data.map(f) });
// An absent gradient stays absent (CLIP-VALUE-8, CLIP-NORM-4, CLIP-GLOBAL-4).
const each = (gradients, f) => gradients.map((g) => (g === null ? null : f(g)));

// ---- The operations.

// y = max(x, 0);  dx = dy where x > 0, else 0: chosen, not multiplied (RELU-2).
function relu({ x, dy }) {
  return { y: map(x, (v) => Math.max(v, 0)), dx: map(x, (v, i) => (v > 0 ? dy.data[i] : 0)) };
}

// y = x where x > 0, else alpha (e^x - 1);  dx = dy where x > 0, else dy alpha e^x.
// JavaScript computes in float64; each operation is rounded to the dtype, as float32 hardware does.
function elu({ x, dy }, { alpha = 1 }) {
  const { round } = KINDS[x.dtype];
  const a = round(alpha);
  return {
    y: map(x, (v) => (v > 0 ? v : a * round(Math.expm1(v)))),
    dx: map(x, (v, i) => (v > 0 ? dy.data[i] : dy.data[i] * round(a * round(Math.exp(v))))),
  };
}

function clipByValue({ gradients }, { clipvalue: c }) {
  return { gradients: each(gradients, (g) => map(g, (v) => Math.min(Math.max(v, -c), c))) };
}

// The sum of f(v), halved until the parts are short: v after v would lose digits of a long one (NUM-11).
function sum(values, f) {
  if (values.length <= 1024) return values.reduce((total, v) => total + f(v), 0);
  const half = values.length >>> 1;
  return sum(values.subarray(0, half), f) + sum(values.subarray(half), f);
}

// n = sqrt(sum(g^2)), with g over its largest element, so that no square over- or underflows (CLIP-NORM-8).
// Math.hypot would not do: of a NaN and an infinity it makes an infinity.
function norm(tensors) {
  let largest = 0;
  for (const { data } of tensors) for (const v of data) largest = Math.max(largest, Math.abs(v));
  if (largest === 0 || !Number.isFinite(largest)) return largest;
  const square = tensors.reduce((total, { data }) => total + sum(data, (v) => (v / largest) ** 2), 0);
  return Math.sqrt(square) * largest;
}

// g -> g where n <= c, else g c / n. A NaN n is not <= c.
function shrink(g, n, c) {
  if (n <= c) return g;
  const scale = c / n;
  // A scale below the smallest normal number has lost digits: divide and multiply one after the other.
  return map(g, scale < 2 ** -1022 ? (v) => (v / n) * c : (v) => v * scale);
}

function clipByNorm({ gradients }, { clipnorm }) {
  return { gradients: each(gradients, (g) => shrink(g, norm([g]), clipnorm)) };
}

function clipByGlobalNorm({ gradients }, { clipnorm }) {
  const present = gradients.filter((g) => g !== null);
  const n = norm(present);
  const dtype = present.length ? present[0].dtype : "float32";
  return {
    gradients: each(gradients, (g) => shrink(g, n, clipnorm)),
    global_norm: { dtype, shape: [], data: KINDS[dtype].Values.of(n) },
  };
}

// ---- The implementations (PROTOCOL-3). With defaults: true the vector gives no attributes; the function has its own.

const IMPLEMENTATIONS = [
  { operation: "relu", name: "Math.max", run: relu },
  { operation: "relu", name: "Math.max", run: relu, defaults: true },
  { operation: "elu", name: "Math.expm1", run: elu },
  { operation: "elu", name: "Math.expm1", run: elu, defaults: true },
  { operation: "clip_by_value", name: "Math.min, Math.max", run: clipByValue },
  { operation: "clip_by_norm", name: "Math.sqrt, each variable", run: clipByNorm },
  { operation: "clip_by_global_norm", name: "Math.sqrt, all variables", run: clipByGlobalNorm },
].map((implementation) => ({ modes: ["eager"], omits: [], defaults: false, ...implementation }));

const hello = (threads) => ({
  protocol: 1,
  framework: "javascript",
  versions: { node: process.versions.node, v8: process.versions.v8 },
  threads,
  modes: ["eager"],
  on_request: [],
  implementations: IMPLEMENTATIONS.map(({ run, ...said }) => said),
});

// ---- Messages (PROTOCOL-1, PROTOCOL-4, PROTOCOL-5).

// NaN, Infinity and -Infinity are beyond JSON: outside of text they become text, which Number() reads.
// (The pattern of a text is one that takes no stack, however long the text is.)
const WORDS = /"[^"\\]*(?:\\.[^"\\]*)*"|-?Infinity|NaN/g;

function parse(line) {
  const quoted = line.replace(WORDS, (found) => (found[0] === '"' ? found : `"${found}"`));
  const request = JSON.parse(quoted);
  // All attributes of the operations above are numbers.
  const numbers = Object.entries(request.attributes).map(([name, value]) => [name, Number(value)]);
  return { ...request, attributes: Object.fromEntries(numbers) };
}

// The first n elements of an input, or of every array of a list (FORMAT-18, FORMAT-17).
const cut = (value, n) =>
  Array.isArray(value) ? value.map((v) => cut(v, n)) : { ...value, shape: [n], data: value.data.subarray(0, n) };
const leading = (value, n) =>
  Array.isArray(value) ? value.map((v) => leading(v, n)) : n && value && value.data.length > n ? cut(value, n) : value;

// The smallest and the largest element, NaN where there is one; an empty output as it is (FORMAT-21).
function extremes(value) {
  if (Array.isArray(value)) return value.map(extremes);
  if (!value || !value.data.length) return value;
  let [least, most] = [Infinity, -Infinity];
  // Math.min and Math.max of a NaN are NaN; called with millions of arguments they would overflow the stack.
  for (const v of value.data) [least, most] = [Math.min(least, v), Math.max(most, v)];
  return { ...value, shape: [2], data: value.data.constructor.of(least, most) };
}

// The outputs for all seeds, on a leading axis (FORMAT-20).
function stacked(values) {
  if (Array.isArray(values[0])) return values[0].map((_, i) => stacked(values.map((v) => v[i])));
  return { ...joined(values), shape: [values.length, ...values[0].shape] };
}

// The outputs for all lengths, joined in order.
function joined(values) {
  if (Array.isArray(values[0])) return values[0].map((_, i) => joined(values.map((v) => v[i])));
  const numbers = values.flatMap((v) => Array.from(v.data));
  return { ...values[0], shape: [numbers.length], data: KINDS[values[0].dtype].Values.from(numbers) };
}

// The outputs of one call, or of one call per length or seed.
function outputs(run, inputs, attributes, { lengths, seeds }) {
  const gathered = (calls, gather) =>
    Object.fromEntries(Object.keys(calls[0]).map((key) => [key, gather(calls.map((made) => made[key]))]));
  if (seeds.length) {
    return gathered(seeds.map((seed) => run(Object.fromEntries(inputs), { ...attributes, seed })), stacked);
  }
  if (!lengths.length) return run(Object.fromEntries(inputs), attributes);
  const first = (n) => Object.fromEntries(inputs.map(([k, v]) => [k, cut(v, n)]));
  return gathered(lengths.map((n) => run(first(n), attributes)), joined);
}

function answer(request, name) {
  const asked = (i) => i.operation === request.operation && i.name === name && i.defaults === request.defaults;
  try {
    const { run } = IMPLEMENTATIONS.find(asked);
    const inputs = Object.entries(request.inputs).map(([key, value]) => [key, decode(value)]);
    const made = Object.entries(outputs(run, inputs, request.attributes, request));
    const shown = (value) => (request.extremes ? extremes(value) : leading(value, request.first));
    const said = made.map(([key, value]) => [key, encode(shown(value))]);
    return { status: "value", outputs: Object.fromEntries(said) };
  } catch (error) {
    if (error instanceof Unsupported) return { status: "unsupported", reason: error.message };
    // The implementations are this file's own: their errors are its faults, and no framework's.
    return { status: "fault", reason: String(error) };
  }
}

// Standard output is the channel: all other output, console.log's too, goes to standard error.
const channel = process.stdout.write.bind(process.stdout);
process.stdout.write = process.stderr.write.bind(process.stderr);
// The number of bytes printed shows the harness which call printed them; not every worker can count them.
const printed = () => (fstatSync(2).isFile() ? { stderr: fstatSync(2).size } : {});
const send = (message) => new Promise((sent) => channel(`${JSON.stringify({ ...message, ...printed() })}\n`, sent));

// Lines end with a line feed and nothing else, which node:readline would not keep to.
async function* lines(stream) {
  let line = "";
  for await (const text of stream.setEncoding("utf8")) {
    const [end, ...starts] = text.split("\n");
    line += end;
    for (const start of starts) {
      yield line;
      line = start;
    }
  }
}

await send({ hello: hello(Number(process.argv[process.argv.indexOf("--threads") + 1])) });
for await (const line of lines(process.stdin)) {
  const request = parse(line);
  for (const [name, mode] of request.calls) {
    await send({ id: request.id, implementation: name, mode, ...answer(request, name) });
  }
}
