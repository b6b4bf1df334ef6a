import type { MatrixClient } from 'matrix-js-sdk'
import type { DraftSeal } from './draft-seal.ts'

const type = 'io.wardroom.draft'
const pause = 1_500

/** Keeps what is being typed in the ghost's account data, sealed under K; saved a moment after the last key and at the end. */
export const draftKeeper = (client: MatrixClient, { seal, open }: DraftSeal) => {
  let saved = ''
  let timer: ReturnType<typeof setTimeout> | undefined
  let running: Promise<void> = Promise.resolve()
  const put = (text: string): Promise<void> => {
    running = running
      .catch(() => undefined)
      .then(async () => {
        if (text === saved) return
        await client.setAccountDataRaw(type as never, (text === '' ? {} : await seal(text)) as never)
        saved = text
      })
    return running
  }
  return {
    load: async (): Promise<string> => {
      saved = await open(client.getAccountData(type as never)?.getContent())
      return saved
    },
    save: (text: string): void => {
      clearTimeout(timer)
      timer = setTimeout(() => put(text).catch(() => undefined), text === '' ? 0 : pause)
    },
    flush: (text: string): Promise<void> => {
      clearTimeout(timer)
      return put(text)
    },
    stop: (): void => clearTimeout(timer),
  }
}
