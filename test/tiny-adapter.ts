/** A LoRA adapter for the tiny chat model, as PEFT writes one: `adapter_model.safetensors` and its configuration. */
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';

const WIDTH = 64;
const RANK = 4;
const LAYERS = 2;

/**
 * Writes the adapter into a folder.
 *
 * @param strength What its weights are: at 0 it changes nothing, at 1 every answer.
 */
export async function writeTinyAdapter(folder: string, strength: number): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(
    path.join(folder, 'adapter_config.json'),
    JSON.stringify({ peft_type: 'LORA', r: RANK, lora_alpha: RANK * 2, target_modules: ['o_proj'] }),
  );
  const tensors = Array.from({ length: LAYERS }, (_, layer) => {
    const name = `base_model.model.model.layers.${layer}.self_attn.o_proj`;
    return [
      { name: `${name}.lora_A.weight`, shape: [RANK, WIDTH] },
      { name: `${name}.lora_B.weight`, shape: [WIDTH, RANK] },
    ];
  }).flat();
  await writeFile(path.join(folder, 'adapter_model.safetensors'), safetensors(tensors, strength));
}

/** The format of safetensors: the length of a JSON header, the header, and the numbers. */
function safetensors(
  tensors: readonly { readonly name: string; readonly shape: readonly number[] }[],
  strength: number,
): Buffer {
  const header: Record<string, object> = {};
  const parts: Buffer[] = [];
  let at = 0;
  for (const { name, shape } of tensors) {
    const count = shape.reduce((product, size) => product * size, 1);
    const numbers = Float32Array.from({ length: count }, (_, index) => strength * Math.sin(index + at));
    parts.push(Buffer.from(numbers.buffer));
    header[name] = { dtype: 'F32', shape, data_offsets: [at, at + numbers.byteLength] };
    at += numbers.byteLength;
  }
  const text = Buffer.from(JSON.stringify(header));
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, ...parts]);
}
