/**
 * A network's ONNX file with a head behind its embedding. Only the graph's outputs are changed and nodes are added: all
 * else is copied byte for byte, whatever it is (onnx/onnx.proto; field numbers are those of that file).
 */
import protobuf from 'protobufjs/minimal.js';
import { messageOf } from '../abort.js';
import { DermletError } from '../errors.js';

const { Reader, Writer } = protobuf;

const MODEL = { graph: 7 };
const GRAPH = { node: 1, initializer: 5, output: 12 };
const NODE = { input: 1, output: 2, name: 3, type: 4, attribute: 5 };
const ATTRIBUTE = { name: 1, integer: 3, type: 20 };
const TENSOR = { dims: 1, type: 2, name: 8, raw: 9 };
const VALUE = { name: 1, type: 2 };
/** Of the enumerations of attributes' and tensors' types. */
const INTEGER = 2;
const FLOAT = 1;
/** Wire type of bytes, text and messages. */
const BYTES = 2;
const VARINT = 0;

interface Field {
  number: number;
  wire: number;
  /** With its tag. */
  whole: Uint8Array;
  /** Of a field of bytes. */
  content: Uint8Array;
}

const NOTHING = new Uint8Array();

function* fieldsOf(message: Uint8Array): Generator<Field> {
  const reader = Reader.create(message);
  while (reader.pos < reader.len) {
    const from = reader.pos;
    const tag = reader.uint32();
    const [number, wire] = [tag >>> 3, tag & 7];
    let content: Uint8Array = NOTHING;
    if (wire === BYTES) content = reader.bytes();
    else reader.skipType(wire);
    yield { number, wire, whole: message.subarray(from, reader.pos), content };
  }
}

/** The first field of that number. */
const field = (message: Uint8Array, number: number): Uint8Array | undefined => {
  for (const each of fieldsOf(message)) if (each.number === number && each.wire === BYTES) return each.content;
  return undefined;
};

/** A message of fields: text, bytes or a whole number each. */
function message(...fields: (readonly [number: number, value: string | Uint8Array | number])[]): Uint8Array {
  const writer = Writer.create();
  for (const [number, value] of fields) {
    const wire = typeof value === 'number' ? VARINT : BYTES;
    writer.uint32(((number << 3) | wire) >>> 0);
    if (typeof value === 'number') writer.int64(value);
    else if (typeof value === 'string') writer.string(value);
    else writer.bytes(value);
  }
  return writer.finish();
}

/** Field after field, as one message. */
function joined(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

const integer = (name: string, value: number): Uint8Array =>
  message([ATTRIBUTE.name, name], [ATTRIBUTE.integer, value], [ATTRIBUTE.type, INTEGER]);

function node(type: string, inputs: string[], output: string, ...attributes: Uint8Array[]): Uint8Array {
  return message(
    ...inputs.map((input) => [NODE.input, input] as const),
    [NODE.output, output],
    [NODE.name, output],
    [NODE.type, type],
    ...attributes.map((attribute) => [NODE.attribute, attribute] as const),
  );
}

/** Little endian, whatever this machine is. */
function tensor(name: string, dims: number[], values: ArrayLike<number>): Uint8Array {
  const raw = new DataView(new ArrayBuffer(4 * values.length));
  for (let at = 0; at < values.length; at++) raw.setFloat32(4 * at, values[at]!, true);
  return message(
    ...dims.map((size) => [TENSOR.dims, size] as const),
    [TENSOR.type, FLOAT],
    [TENSOR.name, name],
    [TENSOR.raw, new Uint8Array(raw.buffer)],
  );
}

/** The first dimension of an output, as the graph has it; it may be open. */
function batchOf(output: Uint8Array): Uint8Array {
  // type.tensor_type.shape.dim[0]
  let inner: Uint8Array | undefined = field(output, VALUE.type);
  for (const number of [1, 2, 1]) inner = inner && field(inner, number);
  if (!inner) throw new Error('its embedding has no shape');
  return inner;
}

/** name, type.tensor_type.{elem_type, shape.dim[2]} */
function outputOf(name: string, batch: Uint8Array, columns: number): Uint8Array {
  const shape = message([1, batch], [1, message([1, columns])]);
  return message([VALUE.name, name], [VALUE.type, message([1, message([1, FLOAT], [2, shape])])]);
}

export interface HeadLayer {
  /** Begins the names of what is added. */
  prefix: string;
  /** Output (N, D) that it reads. */
  embedding: string;
  /** A row of D for each class, and a bias. */
  weights: Float32Array;
  bias: Float32Array;
  /** Output (N, L) whose energy the new scores are to have; null: 0. */
  energyOf: { output: string; size: number } | null;
}

const textOf = (bytes: Uint8Array | undefined): string => (bytes ? new TextDecoder().decode(bytes) : '');

/**
 * The network with one output in place of the others, but for the embedding:
 *
 *   scores = logsoftmax(W embedding + b) + logsumexp(old logits)
 *
 * Their softmax is the head's, and their energy, -logsumexp, the old logits': rejection goes on as it was.
 * @returns the file, and the name of the output
 * @throws DermletError MODEL_CORRUPT
 */
export function withHeadLayer(file: Uint8Array, layer: HeadLayer): { file: Uint8Array<ArrayBuffer>; scores: string } {
  const scores = `${layer.prefix}scores`;
  try {
    let graphs = 0;
    const parts = [...fieldsOf(file)].map(({ number, wire, whole, content }) => {
      if (number !== MODEL.graph || wire !== BYTES) return whole;
      graphs++;
      return message([MODEL.graph, changed(content, layer, scores)]);
    });
    if (graphs !== 1) throw new Error(`it has ${graphs} graphs`);
    return { file: joined(parts), scores };
  } catch (cause) {
    throw new DermletError('MODEL_CORRUPT', `The network cannot be given a head: ${messageOf(cause)}.`, { cause });
  }
}

function changed(graph: Uint8Array, layer: HeadLayer, scores: string): Uint8Array {
  const { prefix, embedding, weights, bias, energyOf } = layer;
  const size = weights.length / bias.length;
  let kept: Uint8Array | undefined;
  const parts: Uint8Array[] = [];
  for (const { number, whole, content } of fieldsOf(graph)) {
    if (number !== GRAPH.output) parts.push(whole);
    else if (textOf(field(content, VALUE.name)) === embedding) kept = content;
  }
  if (!kept) throw new Error(`it has no output '${embedding}'`);
  const name = (what: string) => `${prefix}${what}`;
  const own = energyOf ? name('own') : scores;
  const nodes = [
    node('Gemm', [embedding, name('weights'), name('bias')], name('logits'), integer('transB', 1)),
    node('LogSoftmax', [name('logits')], own, integer('axis', 1)),
  ];
  const tensors = [tensor(name('weights'), [bias.length, size], weights), tensor(name('bias'), [bias.length], bias)];
  if (energyOf) {
    // logits - logsoftmax(logits) is logsumexp(logits), in each column; operators that are the same in every opset.
    nodes.push(
      node('LogSoftmax', [energyOf.output], name('old'), integer('axis', 1)),
      node('Sub', [energyOf.output, name('old')], name('energies')),
      node('MatMul', [name('energies'), name('spread')], name('energy')),
      node('Add', [own, name('energy')], scores),
    );
    const spread = Float32Array.from({ length: energyOf.size * bias.length }, () => 1 / energyOf.size);
    tensors.push(tensor(name('spread'), [energyOf.size, bias.length], spread));
  }
  return joined([
    ...parts,
    message(
      ...nodes.map((each) => [GRAPH.node, each] as const),
      ...tensors.map((each) => [GRAPH.initializer, each] as const),
      [GRAPH.output, outputOf(scores, batchOf(kept), bias.length)],
      [GRAPH.output, kept],
    ),
  ]);
}
