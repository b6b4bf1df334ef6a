import { matching, setting } from '../setting.ts'

const webAddress = matching('a web address', 'https://clinic.example/help', t => {
  if (t === '') return true
  const scheme = URL.canParse(t) ? new URL(t).protocol : ''
  return (scheme === 'https:' || scheme === 'http:') && t.length <= 300
})

/** Where the bot sends people for help. */
export const helpSettings = {
  'help.url': setting({
    kind: webAddress,
    default: 'https://element.io/help',
    help: 'The page that the bot names to a person whose device is not verified.',
    affects: "the bot's replies",
  }),
} satisfies Record<`help.${string}`, { kind: unknown }>
