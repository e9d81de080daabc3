# Read by the comparisons of this folder: where the peer's Python is.
here=$(cd "$(dirname "$0")/.." && pwd)
python=${DUALDEPTH_INTEROP_PYTHON:-${XDG_CACHE_HOME:-$HOME/.cache}/dualdepth/interop/bin/python}
[ -x "$python" ] || { echo "$python: expected the interop Python, found nothing; run tools/setup --interop" >&2; exit 2; }

# built NAME: the path of a built benchmark.
built() {
  [ -x "$here/build/bench/$1" ] ||
    { echo "$here/build/bench/$1: expected a built program, found nothing; run ninja -C build" >&2; exit 2; }
  echo "$here/build/bench/$1"
}
