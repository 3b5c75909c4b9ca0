"""The look that Gradio's own components take: colours, radii and fonts. Everything else is in style.css.

Fonts are those of the reader's machine: a font from a server would not load in an office without the internet, or in China.
"""

from __future__ import annotations

import gradio as gr

SANS = [
    "Inter", "-apple-system", "BlinkMacSystemFont", "Segoe UI", "Roboto", "Helvetica Neue", "Liberation Sans", "Arial",
    "PingFang SC", "Hiragino Sans GB", "Microsoft YaHei", "Noto Sans CJK SC", "Noto Sans SC", "sans-serif",
]  # fmt: skip
MONO = [
    "JetBrains Mono",
    "SF Mono",
    "Cascadia Mono",
    "Menlo",
    "Consolas",
    "Liberation Mono",
    "DejaVu Sans Mono",
    "monospace",
]

INK = gr.themes.Color(
    c50="#f7f6f3", c100="#efede8", c200="#e2dfd8", c300="#cbc7bd", c400="#9d998f", c500="#75726b",
    c600="#57554f", c700="#403e3a", c800="#292825", c900="#1c1b19", c950="#131211", name="ink",
)  # fmt: skip
PINE = gr.themes.Color(
    c50="#eef6f3", c100="#d6eae3", c200="#aed5c8", c300="#7dbaa8", c400="#4b9a86", c500="#2b7f6c",
    c600="#1d6757", c700="#185347", c800="#15423a", c900="#123730", c950="#081f1b", name="pine",
)  # fmt: skip


def build_theme() -> gr.themes.Base:
    theme = gr.themes.Base(
        primary_hue=PINE,
        secondary_hue=PINE,
        neutral_hue=INK,
        radius_size=gr.themes.sizes.radius_md,
        spacing_size=gr.themes.sizes.spacing_md,
        text_size=gr.themes.sizes.text_md,
        font=list(SANS),
        font_mono=list(MONO),
    )
    return theme.set(
        body_background_fill="#faf9f6",
        body_background_fill_dark="#161513",
        body_text_color="*neutral_900",
        body_text_color_dark="#ebe8e1",
        body_text_color_subdued="*neutral_500",
        body_text_color_subdued_dark="#a19d93",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#1f1e1b",
        background_fill_secondary="#f4f2ed",
        background_fill_secondary_dark="#262521",
        border_color_primary="*neutral_200",
        border_color_primary_dark="#36342f",
        block_background_fill="transparent",
        block_background_fill_dark="transparent",
        block_border_width="0px",
        block_border_width_dark="0px",
        block_shadow="none",
        block_shadow_dark="none",
        block_padding="0px",
        block_label_text_size="*text_sm",
        block_title_text_weight="600",
        block_title_text_color="*neutral_800",
        block_title_text_color_dark="#d8d4cb",
        block_title_text_size="*text_sm",
        block_info_text_color="*neutral_500",
        block_info_text_color_dark="#a19d93",
        block_info_text_size="*text_xs",
        panel_background_fill="transparent",
        panel_background_fill_dark="transparent",
        panel_border_width="0px",
        input_background_fill="#ffffff",
        input_background_fill_dark="#1a1917",
        input_border_color="*neutral_300",
        input_border_color_dark="#403e38",
        input_border_color_focus="*primary_500",
        input_border_color_focus_dark="*primary_400",
        input_border_width="1px",
        input_border_width_dark="1px",
        input_shadow="none",
        input_shadow_focus="0 0 0 3px *primary_100",
        input_shadow_focus_dark="0 0 0 3px #1d675766",
        button_primary_background_fill="*primary_600",
        button_primary_background_fill_hover="*primary_700",
        button_primary_background_fill_dark="*primary_500",
        button_primary_background_fill_hover_dark="*primary_400",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#ffffff",
        button_primary_shadow="none",
        button_primary_shadow_dark="none",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_hover="*neutral_100",
        button_secondary_background_fill_dark="#262521",
        button_secondary_background_fill_hover_dark="#302e2a",
        button_secondary_border_color="*neutral_300",
        button_secondary_border_color_dark="#4a4740",
        button_cancel_background_fill="#ffffff",
        button_cancel_background_fill_hover="#fbeeea",
        button_cancel_background_fill_dark="#262521",
        button_cancel_background_fill_hover_dark="#3a2620",
        button_cancel_border_color="*neutral_300",
        button_cancel_border_color_dark="#4a4740",
        button_cancel_text_color="#a63d25",
        button_cancel_text_color_dark="#ee9a84",
        button_border_width="1px",
        button_border_width_dark="1px",
        button_large_text_weight="600",
        button_small_text_weight="500",
        button_transform_hover="none",
        checkbox_background_color_selected="*primary_600",
        checkbox_background_color_selected_dark="*primary_500",
        checkbox_border_color_selected="*primary_600",
        checkbox_label_background_fill_selected="*primary_50",
        checkbox_label_background_fill_selected_dark="#1b2b27",
        checkbox_label_border_width="1px",
        slider_color="*primary_600",
        link_text_color="*primary_600",
        link_text_color_dark="*primary_300",
        accordion_text_color="*neutral_800",
        accordion_text_color_dark="#d8d4cb",
        error_background_fill="#fdf3f0",
        error_background_fill_dark="#2e1f1a",
    )
