import { render } from 'preact'
import { App } from '../patient/app.tsx'
import { Inside } from '../patient/inside/inside.tsx'
import type { State } from '../patient/model.ts'
import { fixtures } from './fixtures.ts'

/**
 * Draws one screen from made-up data: `#name`, or a list of all. Development and tests only; never part of the page that patients get.
 */
const page = document.querySelector('#page')!
const names = fixtures.map(fixture => fixture.name)

const drawing = async (): Promise<Blob> => {
  const canvas = new OffscreenCanvas(640, 440)
  const pen = canvas.getContext('2d')!
  pen.fillStyle = '#8fa9bb'
  pen.fillRect(0, 0, 640, 440)
  pen.fillStyle = '#f4f1ea'
  pen.fillRect(90, 70, 460, 330)
  pen.fillStyle = '#26323c'
  pen.fillRect(230, 105, 180, 78)
  pen.fillStyle = '#b8f0c8'
  pen.font = 'bold 52px sans-serif'
  pen.fillText('82.4', 262, 163)
  return canvas.convertToBlob({ type: 'image/jpeg' })
}

const loadMedia = async (id: string): Promise<string> =>
  URL.createObjectURL(id === 'photo' ? await drawing() : new Blob(['x'], { type: 'audio/webm' }))

const draw = async (): Promise<void> => {
  const fixture = fixtures.find(one => one.name === location.hash.slice(1))
  render(null, page)
  if (!fixture) {
    const list = names.map(name => (
      <li key={name}>
        <a href={`#${name}`}>{name}</a>
      </li>
    ))
    return render(<ul>{list}</ul>, page)
  }
  const state = await withPicture(fixture.state)
  render(
    <App key={fixture.name} state={state} send={event => console.log(event)} loadMedia={loadMedia} inside={Inside} />,
    page,
  )
  document.body.dataset.drawn = fixture.name
}

const withPicture = async (state: State): Promise<State> => {
  const staged = state.compose.staged
  return staged
    ? { ...state, compose: { ...state.compose, staged: { ...staged, url: await loadMedia('photo') } } }
    : state
}

Object.assign(window, { galleryNames: names })
window.addEventListener('hashchange', () => void draw())
void draw()
