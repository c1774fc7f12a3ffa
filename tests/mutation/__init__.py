"""Mutation testing: does a test notice when a line of the law or of binding is wrong?"""
