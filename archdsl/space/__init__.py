"""The meaning of a text: programs with questions, answers, genotypes."""

from archdsl.space.program import Absent, Apply, Asked, Frame, FrameKind, Image, Keep, Node, OfBranch, Payload, Program, Question, QuestionKind, Result, Select
__all__ = ["Absent", "Apply", "Frame", "FrameKind", "Image", "Keep", "Node", "OfBranch", "Payload", "Program", "Question", "QuestionKind", "Result", "Select"]
