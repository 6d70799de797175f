import { unlink } from 'node:fs/promises'
import { type Context, loginFile } from '../../context.ts'

export async function run(context: Context): Promise<void> {
  const path = loginFile(context.env)
  const wasThere = await unlink(path).then(
    () => true,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return false
      throw error
    },
  )
  context.terminal.say(wasThere ? `Signed out: ${path} is gone.` : 'Nobody is signed in here.')
}
