import { chownSync, existsSync, readFileSync } from 'node:fs'
import { writeFileAtomically } from '../../kernel/atomic-file.ts'

type RandomBytes = (size: number) => Uint8Array

/** Reads a password, made at the first start: 256 bits in characters that mean nothing in SQL, URLs and files. */
export async function openPassword(path: string, owner: number | undefined, randomBytes: RandomBytes): Promise<string> {
  if (!existsSync(path)) await writeFileAtomically(path, Buffer.from(randomBytes(32)).toString('hex'), 0o600)
  if (owner !== undefined) chownSync(path, owner, owner)
  return readFileSync(path, 'utf8').trim()
}
