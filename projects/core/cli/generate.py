"""`make docs`: write the files that are generated from the declarations. A test proves that they are current."""

from __future__ import annotations

from projects.core.toolbox.generation import generated_files


def main() -> int:
    """Write every generated file that differs, and say which."""
    for path, text in generated_files():
        if path.exists() and path.read_text(encoding="utf-8") == text:
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        print(path)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
