import { loadConfig } from '../../config/load.ts'
import { serviceConfig } from '../../config/service.ts'
import { createLog } from '../../core/log.ts'
import { homeserverObjection } from '../../core/matrix/check-homeserver.ts'
import { type CliCommand, Explained, parseOptions } from '../command.ts'
import { services } from '../services/index.ts'

/** `wardroom run SERVICE`: one service in this process, as the supervisor and docker-compose.yml start it. */
export const run: CliCommand = {
  name: 'run',
  usage: 'run SERVICE [--config FILE]',
  about: 'run one service in this process',
  run: async args => {
    const { values, rest } = parseOptions(args, { values: ['config'] })
    const entry = services.find(service => service.name === rest[0])
    if (!entry) throw new Explained(`Say which: ${services.map(service => service.name).join(', ')}.`)
    const config = serviceConfig(loadConfig({ file: values.config }))
    if ('missing' in config) throw new Explained(`A single service needs ${config.missing.join(' and ')}.`)
    if (!entry.wanted(config)) throw new Explained(`This configuration has no use for ${entry.name}.`)
    const objection = entry.name === 'keeper' ? undefined : await homeserverObjection(config.homeserver.url)
    if (objection) throw new Explained(objection)
    const ended = endRequested()
    const start = await entry.load()
    const log = createLog(entry.name, config.log.level)
    const service = await start(config, log).catch(explainBusyPort)
    log.info('ready')
    process.send?.('ready')
    await ended
    await service.stop()
    log.info('stopped')
    return 0
  },
}

type ListenError = NodeJS.ErrnoException & { address?: string; port?: number }

const explainBusyPort = (error: ListenError): never => {
  if (error.code !== 'EADDRINUSE') throw error
  throw new Explained(
    `Another program listens on ${error.address}:${error.port}: stop that one, or configure another port.`,
    { cause: error },
  )
}

/** Resolves when somebody asks this process to end, or when the supervisor that started it is gone. */
const endRequested = (): Promise<void> =>
  new Promise(resolve => {
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => resolve())
    process.once('disconnect', () => resolve())
    process.channel?.unref()
  })
