import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileAtomically } from '../../kernel/atomic-file.ts'
import { newSecretToken } from '../../kernel/secret-token.ts'

/** The token in GANTRY_HOME/owner-token (0600, of whoever runs the supervisor), made when the file is missing. */
export async function openOwnerToken(home: string, randomBytes: (size: number) => Uint8Array): Promise<string> {
  const path = join(home, 'owner-token')
  if (!existsSync(path)) await writeFileAtomically(path, `${newSecretToken(randomBytes)}\n`, 0o600)
  return readFileSync(path, 'utf8').trim()
}
