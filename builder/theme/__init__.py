"""How everything looks: the tokens, the style sheet made of them, icons and pictures tinted by them."""
