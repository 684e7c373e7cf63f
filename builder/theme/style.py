"""The style sheet, made from the tokens. Widgets say what they are by a `role`; see `README.md` for the roles."""

from __future__ import annotations

from satchel.builder.theme.tokens import (
    BODY,
    CONTROL_HEIGHT,
    CORNER,
    PAGE_TITLE,
    SECONDARY,
    SECTION,
    Tokens,
)

_SHEET = """
QWidget {{ font-size: {body}px; }}
QMainWindow, QWidget[role="page"] {{ background: {background}; }}
QWidget[role="side"] {{ background: {background}; border-left: 1px solid {line}; }}
QWidget[role="left"] {{ background: {background}; border-right: 1px solid {line}; }}
QWidget[role="bar"] {{ background: {background}; border: 0; border-bottom: 1px solid {line}; }}
QWidget[role="plain"], QScrollArea {{ background: transparent; border: 0; }}
QStackedWidget {{ background: transparent; }}

QLabel {{ background: transparent; color: {text}; }}
QLabel[role="title"] {{ font-size: {page_title}px; font-weight: 600; }}
QLabel[role="section"] {{ font-size: {section}px; font-weight: 600; }}
QLabel[role="strong"] {{ font-weight: 600; }}
QLabel[role="name"] {{ font-size: 14px; font-weight: 600; }}
QLabel[role="muted"] {{ color: {muted}; }}
QLabel[role="secondary"] {{ color: {muted}; font-size: {secondary}px; }}
QLabel[role="faint"] {{ color: {faint}; font-size: {secondary}px; }}
QLabel[role="heading"] {{ color: {muted}; font-size: {secondary}px; font-weight: 600; }}
QLabel[role="danger"] {{ color: {red}; }}
QLabel[role="amber"] {{ color: {amber}; font-size: {secondary}px; }}

QFrame[role="card"] {{ background: {surface}; border: 1px solid {line}; border-radius: {corner}px; }}
QFrame[role="card"][hovered="true"] {{ border-color: {faint}; }}
QFrame[role="card"][focused="true"] {{ border: 2px solid {accent}; }}
QFrame[role="card"][chosen="true"] {{ border: 1px solid {accent}; background: {soft_accent}; }}
QFrame[role="card"][drop="true"] {{ border: 1px dashed {faint}; background: transparent; }}
QFrame[role="card"][wanted="true"] {{ border: 2px dashed {accent}; background: {soft_accent}; }}
QFrame[role="row"] {{ background: transparent; border: 0; border-radius: 6px; }}
QFrame[role="row"][hovered="true"] {{ background: {sunken}; }}
QFrame[role="row"][chosen="true"] {{ background: {soft_accent}; }}
QFrame[role="row"][focused="true"] {{ border: 2px solid {accent}; }}
QFrame[role="code"] {{ background: {sunken}; border: 1px solid {line}; border-radius: {corner}px; }}
QFrame[role="sheet"] {{ background: {surface}; border: 1px solid {amber}; border-radius: {corner}px; }}
QFrame[role="banner"] {{ background: {soft_amber}; border: 1px solid {amber}; border-radius: {corner}px; }}
QFrame[role="banner"][danger="true"] {{ background: {surface}; border: 1px solid {red}; }}
QFrame[role="banner"][quiet="true"] {{ background: {sunken}; border: 1px solid {line}; }}
QRadioButton::indicator {{
    width: 14px; height: 14px; border: 1px solid {faint}; border-radius: 8px; background: {surface};
}}
QRadioButton::indicator:checked {{ width: 6px; height: 6px; border: 5px solid {accent}; }}
QRadioButton::indicator:focus {{ border-color: {accent}; }}
QRadioButton::indicator:disabled {{ background: {sunken}; }}
QFrame[role="notice"] {{ background: {surface}; border: 1px solid {line}; border-radius: {corner}px; }}
QFrame[role="rule"] {{ background: {line}; border: 0; max-height: 1px; min-height: 1px; }}
QFrame[role="own"] {{
    background: {soft_accent}; border: 0; border-radius: 12px; border-bottom-right-radius: 3px;
}}
QFrame[role="composer"] {{ background: {surface}; border: 1px solid {line}; border-radius: 12px; }}
QFrame[role="composer"][focused="true"] {{ border: 2px solid {accent}; }}

QPushButton {{
    background: {surface}; color: {text}; border: 1px solid {line}; border-radius: {corner}px;
    padding: 0 12px; min-height: {inner_height}px; font-weight: 500;
}}
QPushButton:hover {{ background: {sunken}; }}
QPushButton:pressed {{ border-color: {faint}; }}
QPushButton:focus {{ border: 2px solid {accent}; padding: 0 11px; min-height: {focused_height}px; }}
QPushButton:disabled {{ color: {faint}; }}
QPushButton[role="primary"] {{ background: {accent}; color: {on_accent}; border-color: {accent}; }}
QPushButton[role="primary"]:focus {{ border: 2px solid {text}; }}
QPushButton[role="primary"]:disabled {{ background: {sunken}; color: {faint}; border-color: {line}; }}
QPushButton[role="danger"] {{ color: {red}; border-color: {red}; }}
QPushButton[role="link"] {{
    background: transparent; border: 0; color: {accent}; padding: 0 2px; min-height: 20px; font-weight: 600;
}}
QPushButton[role="quiet"] {{
    background: transparent; border: 0; color: {muted}; padding: 0 2px; min-height: 20px; font-weight: 400;
    font-size: {secondary}px;
}}
QPushButton[role="quiet"]:hover {{ color: {text}; }}
QPushButton[role="quiet"]:focus {{ border: 1px solid {accent}; border-radius: 4px; padding: 0 1px; min-height: 18px; }}
QPushButton[role="link"]:hover {{ text-decoration: underline; }}
QPushButton[role="link"]:focus {{ border: 1px solid {accent}; border-radius: 4px; padding: 0 1px; min-height: 18px; }}
QPushButton[role="chip"] {{
    background: {sunken}; border: 1px solid {sunken}; border-radius: 11px; color: {muted};
    font-size: {secondary}px; font-weight: 400; padding: 0 8px; min-height: 20px; max-height: 20px;
}}
QPushButton[role="chip"]:hover {{ color: {text}; border-color: {line}; }}
QPushButton[role="chip"]:focus {{ border: 1px solid {accent}; padding: 0 8px; min-height: 20px; }}
QPushButton[role="chip"][tone="accent"] {{ background: {soft_accent}; border-color: {soft_accent}; color: {accent}; }}
QPushButton[role="chip"][tone="accent"]:focus {{ border-color: {accent}; }}
QPushButton[role="chip"][tone="amber"] {{ background: {soft_amber}; border-color: {soft_amber}; color: {amber}; }}
QPushButton::menu-indicator {{ image: none; width: 0; }}
QToolButton[role="icon"] {{ background: transparent; border: 1px solid transparent; border-radius: 6px; padding: 3px; }}
QToolButton[role="icon"]:hover, QToolButton[role="icon"]:checked {{ background: {sunken}; }}
QToolButton[role="icon"]:focus {{ border: 1px solid {accent}; }}
QToolButton[role="icon"]::menu-indicator {{ image: none; width: 0; }}

QLineEdit, QPlainTextEdit, QTextEdit, QComboBox, QSpinBox, QDoubleSpinBox {{
    background: {surface}; color: {text}; border: 1px solid {line}; border-radius: {corner}px; padding: 0 10px;
    selection-background-color: {accent}; selection-color: {on_accent};
}}
QLineEdit, QComboBox, QSpinBox, QDoubleSpinBox {{ min-height: {inner_height}px; }}
QLineEdit[role="search"] {{ padding-left: 2px; }}
QPlainTextEdit, QTextEdit {{ padding: 6px; }}
QLineEdit:focus, QPlainTextEdit:focus, QTextEdit:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus {{
    border: 2px solid {accent}; padding: 0 9px;
}}
QPlainTextEdit:focus, QTextEdit:focus {{ padding: 5px; }}
QLineEdit:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus {{ min-height: {focused_height}px; }}
QLineEdit[role="bare"], QPlainTextEdit[role="bare"], QTextEdit[role="bare"], QTextBrowser[role="bare"] {{
    background: transparent; border: 0; padding: 0;
}}
QAbstractSpinBox QLineEdit, QAbstractSpinBox QLineEdit:focus {{
    background: transparent; border: 0; padding: 0 8px; min-height: 0;
}}
QAbstractSpinBox::up-button, QAbstractSpinBox::down-button {{ width: 0; border: 0; }}
QComboBox::drop-down {{ border: 0; width: 24px; }}
QComboBox QAbstractItemView, QMenu {{
    background: {surface}; color: {text}; border: 1px solid {line}; padding: 4px;
    selection-background-color: {soft_accent}; selection-color: {text}; outline: 0;
}}
QMenu::item {{ padding: 6px 24px 6px 12px; border-radius: 5px; }}
QMenu::item:selected {{ background: {soft_accent}; color: {text}; }}
QMenu::item:disabled {{ color: {faint}; }}
QMenu::separator {{ height: 1px; background: {line}; margin: 4px 8px; }}
QMenu::icon {{ padding-left: 8px; }}
QToolTip {{
    background: {surface}; color: {text}; border: 1px solid {line}; padding: 6px; font-size: {secondary}px;
}}

QListView, QTreeView, QTableView {{ background: transparent; border: 0; outline: 0; color: {text}; }}
QListView[role="card"] {{ background: {surface}; border: 1px solid {line}; border-radius: {corner}px; }}
QTabBar {{ background: transparent; border: 0; }}
QTabBar::tab {{
    background: transparent; color: {muted}; padding: 10px 12px; border: 0; border-bottom: 2px solid transparent;
}}
QTabBar::tab:selected {{ color: {text}; font-weight: 600; border-bottom: 2px solid {accent}; }}
QTabBar::tab:hover {{ color: {text}; }}
QTabBar::tab:focus {{ color: {accent}; }}
QCheckBox, QRadioButton {{ color: {text}; spacing: 8px; background: transparent; }}
QCheckBox::indicator {{
    width: 14px; height: 14px; border: 1px solid {faint}; border-radius: 4px; background: {surface};
}}
QCheckBox::indicator:checked {{ background: {accent}; border-color: {accent}; }}
QCheckBox::indicator:focus {{ border: 2px solid {accent}; width: 12px; height: 12px; }}
QProgressBar {{ background: {sunken}; border: 0; border-radius: 2px; max-height: 4px; min-height: 4px; }}
QProgressBar::chunk {{ background: {accent}; border-radius: 2px; }}

QScrollBar:vertical {{ background: transparent; width: 10px; margin: 0; }}
QScrollBar:horizontal {{ background: transparent; height: 10px; margin: 0; }}
QScrollBar::handle {{ background: {line}; border-radius: 4px; margin: 1px; }}
QScrollBar::handle:vertical {{ min-height: 32px; }}
QScrollBar::handle:horizontal {{ min-width: 32px; }}
QScrollBar::handle:hover {{ background: {faint}; }}
QScrollBar::add-line, QScrollBar::sub-line {{ width: 0; height: 0; }}
QScrollBar::add-page, QScrollBar::sub-page {{ background: transparent; }}
QSplitter::handle {{ background: {line}; }}
QSplitter::handle:horizontal {{ width: 1px; }}
"""


def style_sheet(tokens: Tokens) -> str:
    """Return the style sheet of one appearance."""
    colours = {name: getattr(tokens, name) for name in Tokens.__slots__}
    return _SHEET.format(
        **colours,
        body=BODY,
        secondary=SECONDARY,
        section=SECTION,
        page_title=PAGE_TITLE,
        corner=CORNER,
        inner_height=CONTROL_HEIGHT - 2,
        focused_height=CONTROL_HEIGHT - 4,
    )
