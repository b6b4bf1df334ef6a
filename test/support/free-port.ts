import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { portIsFree } from '../../cli/stack/ports.ts'

const lowest = 10_000

/**
 * Where the ports end that we choose from: below those that the system gives to outgoing connections (ip_local_port_range), one of which may take a port there
 * between our choice and its use. Where connections get nearly all ports, any will do.
 */
const end = (): number => {
  const [first] = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8').split(/\s/)
  return Number(first) > lowest + 1000 ? Number(first) : 65_536
}

/** Keeps other lanes of the run from the port as long as this process lives; false when one of them has it. */
const reserve = async (port: number): Promise<boolean> => {
  const holder = createServer()
  const held = once(holder, 'listening').then(
    () => true,
    () => false,
  )
  holder.listen(`\0wardroom-test-port-${port}`).unref()
  return held
}

/** A TCP port of 127.0.0.1 on which nothing listens, for a server that another process will start. No test of this machine is given it again while this process lives. */
export const freePort = async (): Promise<number> => {
  for (let tries = 0; tries < 200; tries++) {
    const port = randomInt(lowest, end())
    if ((await reserve(port)) && (await portIsFree(port))) return port
  }
  throw new Error('No free TCP port was found.')
}
