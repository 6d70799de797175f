import type { PlatformCheck } from '@gantry/api'
import { messageOf } from '../kernel/errors.ts'
import type { HealthCheck } from './platform.ts'

const timeoutMs = 3000

/** Runs every check at once; one that fails or hangs says so and holds up nothing. */
export async function runChecks(
  checks: readonly HealthCheck[],
  signal: AbortSignal,
): Promise<readonly PlatformCheck[]> {
  return await Promise.all(checks.map((check) => runCheck(check, signal)))
}

async function runCheck({ name, run }: HealthCheck, outer: AbortSignal): Promise<PlatformCheck> {
  const timeout = AbortSignal.timeout(timeoutMs)
  const signal = AbortSignal.any([outer, timeout])
  try {
    const late = new Promise<never>((_resolve, reject) =>
      timeout.addEventListener('abort', () => reject(new Error(`no answer within ${timeoutMs / 1000} s`)), {
        once: true,
      }),
    )
    return { name, ...(await Promise.race([run(signal), late])) }
  } catch (error) {
    return { name, status: 'failed', message: messageOf(error) || 'It failed without saying why.' }
  }
}
